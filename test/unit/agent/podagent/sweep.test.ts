import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { NodePod } from '../../../../agent/kube/pod.ts'
import type { RuntimeSandbox } from '../../../../agent/podagent/sandbox.ts'
import { createSweepDuty } from '../../../../agent/podagent/sweep.ts'
import { systemClock } from '../../../../agent/runtime/clock.ts'
import { type ContainerRecord, printRecord } from '../../../../cni/networks/record.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { FakeRunner, failing } from '../../cni/fake-runner.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { attached, green, podOf, primary, recordOf } from './samples.ts'

const { signal } = new AbortController()
const living: RuntimeSandbox = { containerId: 'c2', podUid: 'u2' }
const lost = recordOf([primary(), attached('team/green', green)], { containerId: 'c1', netns: '/proc/7/ns/net' })

interface World {
  sandboxes: readonly RuntimeSandbox[] | undefined | Error
  /** How often the runtime was asked. */
  asked: number
  pods: readonly NodePod[] | undefined
}

/** A node with such records whose configuration is of that version, and its sweep. */
function prepare(t: Test, records: readonly ContainerRecord[], cniVersion = '1.0.0', runner = new FakeRunner()) {
  const cniDir = t.testdir({ records: {} })
  mkdirSync(join(cniDir, 'locks'))
  for (const record of records)
    writeFileSync(join(cniDir, 'records', `${record.containerId}.json`), printRecord(record))
  const world: World = { sandboxes: [living], asked: 0, pods: [] }
  const list = confListFrom({ name: 'kactus-net', cniVersion, plugins: [{ type: 'kactus' }] })
  const outcomes: string[] = []
  const duty = createSweepDuty({
    everyMs: 1000,
    conf: async () => ({ name: 'kactus-net', multusReader: 'kactus', list, cniDir }),
    runtime: {
      readySandbox: async () => undefined,
      async sandboxes() {
        world.asked += 1
        if (world.sandboxes instanceof Error) throw world.sandboxes
        return world.sandboxes
      },
    },
    pods: () => world.pods,
    probes: async () => ['nopal-probe-1'],
    runner: () => runner,
    here: path => path,
    onLeftover: outcome => outcomes.push(outcome),
    clock: systemClock,
    log: createRecordingLogger(),
  })
  return { world, runner, outcomes, look: () => duty.reconcile(signal) }
}

t.test('twice seen before once acted on: one DEL, with what the record says', async t => {
  const { look, runner, outcomes } = prepare(t, [lost])
  await look()
  t.same(runner.trace, [])
  await look()
  t.same(runner.trace, ['DEL kactus eth0'])
  const { variables } = runner.calls[0] ?? { variables: {} }
  t.match(variables, { CNI_CONTAINERID: 'c1', CNI_NETNS: '', CNI_ARGS: /K8S_POD_NAME=p1/ })
  t.notMatch(variables, { CNI_ARGS: /K8S_POD_NETWORK/ })
  t.same(outcomes, ['removed'])
})

t.test('a runtime that does not answer between two looks: they do not count together', async t => {
  const { look, runner, world } = prepare(t, [lost])
  await look()
  world.sandboxes = new Error('away')
  await t.rejects(look(), { message: 'away' })
  world.sandboxes = [living]
  await look()
  t.same(runner.trace, [])
  await look()
  t.same(runner.trace, ['DEL kactus eth0'])
})

t.test('no runtime, or pods that are not all known: nothing is judged', async t => {
  const { look, runner, world } = prepare(t, [lost])
  world.sandboxes = undefined
  for (let turn = 0; turn < 3; turn++) await look()
  world.sandboxes = [living]
  world.pods = undefined
  for (let turn = 0; turn < 3; turn++) await look()
  t.same(runner.trace, [])
})

t.test('seen by the runtime again: nothing happens', async t => {
  const { look, runner, world } = prepare(t, [lost])
  await look()
  world.sandboxes = [living, { containerId: 'c1', podUid: 'u1' }]
  await look()
  world.sandboxes = [living]
  await look()
  t.same(runner.trace, [])
})

t.test("another configuration's attachments are not judged", async t => {
  const { look, runner } = prepare(t, [recordOf([primary({ conf: 'other' })])])
  for (let turn = 0; turn < 3; turn++) await look()
  t.same(runner.trace, [])
})

t.test('a DEL that fails is counted, and made again', async t => {
  const { look, outcomes } = prepare(t, [lost], '1.0.0', new FakeRunner(failing({ 'DEL kactus eth0': 11 })))
  for (let turn = 0; turn < 4; turn++) await look()
  t.same(outcomes, ['failed', 'failed'])
})

t.test('GC, where the configuration knows it: what was there at one of two looks, probes too', async t => {
  const { look, runner, world } = prepare(t, [], '1.1.0')
  await look()
  t.same(runner.trace, [], 'one look is not enough')
  world.sandboxes = [{ containerId: 'c3', podUid: 'u3' }]
  await look()
  t.same(runner.trace, ['GC kactus'])
  const valid = ['c3', 'c2', 'nopal-probe-1'].map(containerID => ({ containerID, ifname: 'eth0' }))
  t.match(runner.calls[0]?.config, { 'cni.dev/valid-attachments': valid, keepRecords: true })
})

t.test('a list that is empty, or lacks a pod that runs, is handed on to nobody', async t => {
  const { look, runner, world } = prepare(t, [], '1.1.0')
  await look()
  world.sandboxes = []
  await look()
  world.sandboxes = [living]
  world.pods = [podOf([])]
  await look()
  await look()
  t.same(runner.trace, [])
})

t.test('while no record lacks its process the runtime is asked for collections only, and these are rare', async t => {
  const { look, runner, world } = prepare(t, [], '1.1.0')
  for (let turn = 0; turn < 30; turn++) await look()
  t.same([world.asked, runner.trace], [2, ['GC kactus']])
  for (let turn = 0; turn < 4; turn++) await look()
  t.same([world.asked, runner.trace], [4, ['GC kactus', 'GC kactus']])
})

t.test('while one does it is asked each time', async t => {
  const { look, world } = prepare(t, [recordOf([primary()], { containerId: 'c2' })], '1.1.0')
  for (let turn = 0; turn < 10; turn++) await look()
  t.equal(world.asked, 10)
})
