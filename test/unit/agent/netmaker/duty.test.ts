import t, { type Test } from 'tap'
import { createEventRecorder } from '../../../../agent/kube/events.ts'
import { createDeleteBudget } from '../../../../agent/netmaker/budget.ts'
import { createDeleteEvents } from '../../../../agent/netmaker/delete-events.ts'
import { createEgressDuty, type EgressDutyOptions } from '../../../../agent/netmaker/duty.ts'
import { createMeshLists } from '../../../../agent/netmaker/lists.ts'
import type { ClusterNode } from '../../../../agent/netmaker/world.ts'
import type { FakeNetmaker } from '../../../fakes/netmaker/main.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { addMachine, clientFor, startServer } from './bed.ts'
import { rulesOf, writesSeen } from './fleet.ts'

const { signal } = new AbortController()

function start(t: Test, fake: FakeNetmaker, more: Partial<EgressDutyOptions> = {}) {
  const clock = createFakeClock()
  const log = createRecordingLogger()
  const client = clientFor(t, fake)
  const nodes = new Map<string, ClusterNode>()
  const events: { readonly reason: string; readonly note: string }[] = []
  const failures: string[] = []
  const api = {
    server: '',
    request: async ({ body }: { body?: unknown }) => void events.push(body as (typeof events)[0]),
  }
  const recorder = createEventRecorder({ api, clock, log, instance: 'test' })
  const duty = createEgressDuty({
    parts: {
      client,
      cluster: '',
      lists: createMeshLists(client, clock),
      nodes: () => [...nodes.values()],
      readNode: async name => nodes.get(name),
      budget: createDeleteBudget({ most: { nodes: 1 }, intervalMs: 600_000, clock }),
    },
    synced: () => true,
    intervalMs: 600_000,
    dryRun: false,
    term: { signal, fence: () => undefined },
    teller: createDeleteEvents(recorder, name => nodes.get(name)),
    onWrite: () => undefined,
    onOutlook: () => undefined,
    onFailure: message => failures.push(message),
    log,
    ...more,
  })
  const add = (name: string, range: string) => nodes.set(name, { name, uid: `uid-${name}`, podCIDRs: [range] })
  return { duty, nodes, add, events, failures, clock, log }
}

t.test('what was written is looked at again soon, what is settled rarely', async t => {
  const fake = await startServer(t)
  const { duty, add } = start(t, fake)
  addMachine(fake, 'n1')
  add('n1', '10.42.1.0/24')
  t.equal(await duty.reconcile(signal), 1_000)
  t.equal(await duty.reconcile(signal), 600_000)
  add('n2', '10.42.2.0/24')
  t.equal(await duty.reconcile(signal), 31_000, 'a Node without a host is looked for sooner')
})

t.test('somebody who undoes every write: ever more rarely', async t => {
  const fake = await startServer(t)
  const { duty, add, clock } = start(t, fake)
  addMachine(fake, 'n1')
  add('n1', '10.42.1.0/24')
  const waits: (number | undefined)[] = []
  for (let passes = 0; passes < 7; passes++) {
    waits.push(await duty.reconcile(signal))
    for (const rule of fake.state.rules.values()) rule.name = 'undone'
    await clock.advance(31_000)
  }
  t.same(waits, [1_000, 4_000, 16_000, 64_000, 256_000, 600_000, 600_000])
})

t.test('each delete and each held delete has an Event with its reason, once', async t => {
  const fake = await startServer(t)
  const { duty, nodes, add, events, clock } = start(t, fake)
  for (const [at, name] of ['n1', 'n2', 'n3'].entries()) {
    addMachine(fake, name)
    add(name, `10.42.${at}.0/24`)
  }
  await duty.reconcile(signal)
  for (const name of ['n2', 'n3']) nodes.delete(name)
  for (let passes = 0; passes < 3; passes++) {
    await clock.advance(31_000)
    await duty.reconcile(signal)
  }
  t.match(events, [
    { reason: 'EgressRuleDeleted', note: /^NodeGone: .*10\.42\.1\.0\/24/, regarding: { kind: 'Node', name: 'n2' } },
    { reason: 'EgressDeleteHeld', note: /^Cap: .*10\.42\.2\.0\/24/, regarding: { kind: 'Node', name: 'n3' } },
  ])
  t.equal(events.length, 2)
  await clock.advance(600_000)
  await duty.reconcile(signal)
  t.same(rulesOf(fake), ['lab n1 0 10.42.0.0/24'])
})

t.test('a dry run writes nothing', async t => {
  const fake = await startServer(t)
  let wanted = 0
  const { duty, add } = start(t, fake, { dryRun: true, onOutlook: ({ plan }) => (wanted = plan.writes.length) })
  addMachine(fake, 'n1')
  add('n1', '10.42.1.0/24')
  t.equal(await duty.reconcile(signal), 600_000)
  t.equal(wanted, 1)
  t.equal(writesSeen(fake), 0)
})

t.test('before all Nodes are known nothing is asked', async t => {
  const fake = await startServer(t)
  const { duty } = start(t, fake, { synced: () => false })
  t.equal(await duty.reconcile(signal), undefined)
  t.same(fake.seen, [])
})

t.test('what fails is shown', async t => {
  const fake = await startServer(t)
  const { duty, failures, add } = start(t, fake)
  add('n1', '10.42.1.0/24')
  fake.faults.unreadable.add('hosts_v1')
  await t.rejects(duty.reconcile(signal), { code: 'ServerError' })
  t.match(failures, [/no such table/])
})
