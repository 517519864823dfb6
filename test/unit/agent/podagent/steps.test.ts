import t from 'tap'
import { createPodagentMetrics } from '../../../../agent/podagent/metrics.ts'
import type { Step } from '../../../../agent/podagent/plan.ts'
import { runSteps } from '../../../../agent/podagent/steps.ts'
import { systemClock } from '../../../../agent/runtime/clock.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { FakeRunner, failing } from '../../cni/fake-runner.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { blue, green, podOf, primary, recordOf } from './samples.ts'

const { signal } = new AbortController()
const step = (action: Step['action'], network: string, ifname: string, mac?: string): Step => ({
  action,
  network,
  ifname,
  mac,
})

async function run(steps: readonly Step[], faults: Readonly<Record<string, number>> = {}, attachments = [primary()]) {
  const runner = new FakeRunner(failing(faults))
  const events: string[] = []
  const list = confListFrom({ name: 'kactus-net', cniVersion: '1.0.0', plugins: [{ type: 'kactus' }] })
  const context = {
    pod: podOf([]),
    conf: { name: 'kactus-net', multusReader: 'kactus', list, cniDir: '/none' },
    sandbox: { containerId: 'c1', netns: '/run/netns/x', record: recordOf(attachments) },
    runner: () => runner,
    tell: async ({ reason, note }: { reason: string; note: string }) => void events.push(`${reason} ${note}`),
    metrics: createPodagentMetrics(createMetrics()),
    clock: systemClock,
    log: createRecordingLogger(),
  } as const
  const failures = await runSteps(steps, context, signal)
  return { failures, events, runner }
}

t.test('the call is the one that anybody could make', async t => {
  const { runner, events } = await run([step('attach', 'green', green, '02:00:00:00:00:2a')])
  t.match(runner.calls[0], {
    command: 'ADD',
    type: 'kactus',
    variables: {
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/x',
      CNI_IFNAME: green,
      CNI_ARGS:
        'IgnoreUnknown=1;K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u1;K8S_POD_NETWORK=green;K8S_POD_IFMAC=02:00:00:00:00:2a',
    },
  })
  t.same(events, [`AddedInterface ${green} [10.1.0.2] on network green`])
})

t.test('a pod that kactus did not attach is said to be one', async t => {
  const { runner } = await run([step('attach', 'green', green)], {}, [])
  t.match(runner.calls[0]?.variables.CNI_ARGS, /;NOPAL_ADOPT=1$/)
})

t.test('one that fails keeps no other from being attached, and says why', async t => {
  const steps = [step('attach', 'green', green), step('attach', 'blue', blue)]
  const { failures, runner, events } = await run(steps, { [`ADD kactus ${green}`]: 11 })
  t.same(runner.trace, [`ADD kactus ${green}`, `ADD kactus ${blue}`])
  t.same(
    failures.map(({ code }) => code),
    [11],
  )
  t.match(events, [
    new RegExp(`^FailedAddingInterface network green, interface ${green}: .*as ordered`),
    /^AddedInterface/,
  ])
})

t.test('what could not be detached keeps its place: nothing is attached over it', async t => {
  const steps = [step('detach', 'team/green', green), step('attach', 'green', green), step('attach', 'blue', blue)]
  const { runner, events } = await run(steps, { [`DEL kactus ${green}`]: 11 })
  t.same(runner.trace, [`DEL kactus ${green}`, `ADD kactus ${blue}`])
  t.match(events, [/^FailedRemovingInterface network team\/green/, /^AddedInterface/])
})
