import t from 'tap'
import type { GateSettings } from '../../../../agent/config/settings.ts'
import { createGateDuty, GateContendedError, type MarksWrite } from '../../../../agent/gate/duty.ts'
import { KubeError } from '../../../../agent/kube/api.ts'
import { createEventRecorder } from '../../../../agent/kube/events.ts'
import { createNodeWriter } from '../../../../agent/kube/node-writer.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import type { Verdict } from '../../../../agent/verdict/verdict.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { createNodeServer, type FakeNodeServer } from './fake-node-server.ts'
import { firstRun, type NodeParts, nowMs, ownLabel, ownTaint, passedCondition, settings, verdictOf } from './samples.ts'

function gateOn(api: FakeNodeServer, verdict: Verdict | undefined, changes: Partial<GateSettings> = {}) {
  const clock = createFakeClock(nowMs)
  const log = createRecordingLogger()
  const writes: MarksWrite[] = []
  const duty = createGateDuty({
    settings: { ...settings, ...changes },
    sight: api.sight,
    verdict: () => verdict && { uid: 'u1', verdict, streak: firstRun },
    writer: createNodeWriter(api, 'n1'),
    events: createEventRecorder({ api, clock, log, instance: 'n1' }),
    clock,
    log,
    onWrite: write => writes.push(write),
  })
  return { clock, log, writes, duty, run: () => duty.reconcile(new AbortController().signal) }
}

const node = 'PATCH /api/v1/nodes/n1'
const status = 'PATCH /api/v1/nodes/n1/status'
const read = 'GET /api/v1/nodes/n1'
const event = 'POST /apis/events.k8s.io/v1/namespaces/default/events'
const fresh: NodeParts = { labels: {}, taints: [ownTaint] }
const foreign = { key: 'x', effect: 'NoSchedule' }

t.test('a good node: one patch for taint and label, one for the condition, two events', async t => {
  const api = createNodeServer(fresh)
  const { run, writes } = gateOn(api, verdictOf())
  await run()
  t.same(api.calls, [node, status, event, event])
  t.same(writes, [{ taint: 'lift', ok: true, seconds: 0 }])
  t.same(api.requests[0]?.body, [
    { op: 'test', path: '/metadata/uid', value: 'u1' },
    { op: 'test', path: '/spec/taints', value: [ownTaint] },
    { op: 'remove', path: '/spec/taints' },
    { op: 'add', path: '/metadata/labels/node-ready~1verified', value: 'true' },
  ])
  await run()
  t.equal(api.calls.length, 4, 'and then nothing')
})

t.test('a taint came in between: read again, planned again, the other one stays', async t => {
  const api = createNodeServer(fresh, { ...fresh, taints: [foreign, ownTaint], resourceVersion: '7' })
  await gateOn(api, verdictOf()).run()
  t.same(api.calls.slice(0, 3), [node, read, node])
  t.match(api.requests[2]?.body, [
    {},
    { op: 'test', value: [foreign, ownTaint] },
    { op: 'remove', path: '/spec/taints/1' },
  ])
})

t.test('the node was replaced: the old verdict is not written to the new one', async t => {
  const api = createNodeServer({ ...fresh, conditions: [passedCondition] }, { ...fresh, uid: 'u2' })
  const { run, clock } = gateOn(api, verdictOf())
  t.equal(await run(), 1_500)
  t.same(api.calls, [node, read])
  await clock.advance(1_500)
  await run()
  t.same(api.calls, [node, read, status])
  t.match(api.requests[2]?.body, {
    metadata: { uid: 'u2' },
    status: { conditions: [{ status: 'Unknown', reason: 'Verifying' }] },
  })
})

t.test('somebody changes the taints again and again: the loop gets its turn', async t => {
  const conflict = new KubeError('Conflict', 'changed', { status: 409 })
  const api = createNodeServer(fresh, fresh, request => (request.method === 'PATCH' ? conflict : undefined))
  await t.rejects(gateOn(api, verdictOf()).run(), GateContendedError)
  t.equal(api.calls.filter(call => call === node).length, 2)
})

t.test(
  'every write is refused: five tries a second at most, growing apart however often the gate is woken',
  async t => {
    const conflict = new KubeError('Conflict', 'changed', { status: 409 })
    const api = createNodeServer(fresh, fresh, request => (request.method === 'PATCH' ? conflict : undefined))
    const { duty, clock, log } = gateOn(api, verdictOf())
    const triesMs: number[] = []
    let seen = 0
    const loop = startLoop(duty, { clock, log, random: () => 0 })
    // Each reading of the node is one more sight of it, which wakes the gate; so does everything that others write.
    for (let ms = 0; ms < 60_000; ms += 50) {
      loop.wake()
      await clock.advance(50)
      const tries = api.calls.filter(call => call === node).length
      for (; seen < tries; seen += 1) triesMs.push(ms)
    }
    await loop.stop()
    const inOneSecond = triesMs.map(from => triesMs.filter(ms => ms >= from && ms < from + 1000).length)
    t.ok(Math.max(...inOneSecond) <= 5, `tries at ${triesMs.join(', ')} ms`)
    const rounds = [...new Set(triesMs)]
    const gaps = rounds.slice(1).map((ms, index) => ms - (rounds[index] ?? 0))
    t.same(
      gaps,
      gaps.toSorted((a, b) => a - b),
      'growing apart',
    )
    t.ok(gaps.length > 5 && (gaps.at(-1) ?? 0) >= 10_000, `up to ten seconds: ${gaps.join(', ')}`)
  },
)

t.test('the node is gone: nothing to do until the watch tells more', async t => {
  const api = createNodeServer(fresh, fresh, () => new KubeError('NotFound', 'no such node', { status: 404 }))
  t.equal(await gateOn(api, verdictOf()).run(), undefined)
  t.same(api.calls, [node])
})

t.test('no right to write: the loop hears of it, so do the metrics', async t => {
  const api = createNodeServer(fresh, fresh, () => new KubeError('Forbidden', 'no', { status: 403 }))
  const { run, writes } = gateOn(api, verdictOf())
  await t.rejects(run(), { code: 'Forbidden' })
  t.same(writes, [{ taint: 'lift', ok: false, seconds: 0 }])
})

t.test('an event that cannot be sent keeps nothing from being done', async t => {
  const api = createNodeServer(fresh, fresh, request =>
    request.method === 'POST' ? new KubeError('Forbidden', 'no', { status: 403 }) : undefined,
  )
  const { run, log } = gateOn(api, verdictOf())
  await run()
  t.same(api.calls, [node, status, event, event])
  t.same(
    log.lines.filter(([level]) => level === 'warn').map(([, message]) => message),
    ['event not sent', 'event not sent'],
  )
})

t.test('a taint that keeps coming back is lifted every ten seconds', async t => {
  const api = createNodeServer(fresh)
  const { run, clock } = gateOn(api, verdictOf())
  await run()
  const back: NodeParts = { labels: ownLabel, taints: [ownTaint], conditions: [passedCondition], resourceVersion: '50' }
  api.set(back)
  api.sight.adopt(await createNodeWriter(api, 'n1').read(new AbortController().signal))
  t.equal(await run(), 10_000)
  await clock.advance(10_000)
  const before = api.calls.length
  await run()
  t.equal(api.calls[before], node)
})

t.test('a dry run writes nothing and says once what it would', async t => {
  const api = createNodeServer(fresh)
  const { run, log } = gateOn(api, verdictOf(), { dryRun: true })
  await run()
  await run()
  t.same(api.calls, [])
  t.same(
    log.lines.map(([, , { wish }]) => wish),
    [
      'lift the taint and set the label; set the condition to True Verified; send the event NetworkVerified; send the event TaintLifted',
    ],
  )
})

t.test('called off between two writes', async t => {
  const controller = new AbortController()
  const api = createNodeServer(fresh, fresh, () => {
    controller.abort(new Error('the agent ends'))
    return undefined
  })
  const log = createRecordingLogger()
  const clock = createFakeClock(nowMs)
  const duty = createGateDuty({
    settings,
    sight: api.sight,
    verdict: () => ({ uid: 'u1', verdict: verdictOf(), streak: firstRun }),
    writer: createNodeWriter(api, 'n1'),
    events: createEventRecorder({ api, clock, log, instance: 'n1' }),
    clock,
    log,
    onWrite: () => undefined,
  })
  await t.rejects(duty.reconcile(controller.signal), { message: 'the agent ends' })
  t.same(api.calls, [node])
})
