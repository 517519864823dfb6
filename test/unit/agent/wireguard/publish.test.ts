import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import type { NodeNetwork, NodeNetworkStatus } from '../../../../agent/kube/node-network.ts'
import type { NodeNetworkWriter } from '../../../../agent/kube/node-network-writer.ts'
import { createPublishDuty } from '../../../../agent/wireguard/publish-duty.ts'
import { planPublication, type Wish } from '../../../../agent/wireguard/publish-plan.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { network } from './mesh.ts'

const status = {
  verdict: 'Ready',
  reason: 'Verified',
  peers: { expected: 2, leaked: 0 },
  missingAllowedIPs: [],
  egress: { peers: 2, routed: 2 },
} as const
const wish: Wish = { spec: network(1).spec, status }
const nowMs = 1_000_000_000

interface Case {
  readonly name: string
  readonly known?: Partial<NodeNetwork>
  readonly said?: Partial<NodeNetworkStatus>
  readonly ageMs?: number
  readonly want: string
}

const cases: readonly Case[] = [
  { name: 'nothing has changed', want: 'undefined undefined' },
  { name: 'the spec has', known: { spec: network(2).spec }, want: 'spec undefined' },
  { name: 'it belongs to another Node', known: { owner: 'other' }, want: 'spec undefined' },
  { name: 'no status yet', known: { status: undefined }, ageMs: 3_000, want: 'status undefined' },
  { name: 'another verdict, just now', said: { verdict: 'NotReady' }, ageMs: 0, want: 'undefined 3000' },
  { name: 'another verdict', said: { verdict: 'NotReady' }, ageMs: 3_000, want: 'status undefined' },
  { name: 'another reason', said: { reason: 'NXDomain' }, ageMs: 3_000, want: 'status undefined' },
  { name: 'a leak', said: { peers: { expected: 1, leaked: 1 } }, ageMs: 3_000, want: 'status undefined' },
  {
    name: 'a missing allowed-ip, just now',
    said: { missingAllowedIPs: ['10.42.2.0/24'] },
    ageMs: 3_000,
    want: 'undefined 12000',
  },
  {
    name: 'a missing allowed-ip',
    said: { missingAllowedIPs: ['10.42.2.0/24'] },
    ageMs: 15_000,
    want: 'status undefined',
  },
  {
    name: 'not routed any more, just now',
    said: { egress: { peers: 2, routed: 1 } },
    ageMs: 0,
    want: 'undefined 15000',
  },
  { name: 'not routed any more', said: { egress: { peers: 2, routed: 1 } }, ageMs: 15_000, want: 'status undefined' },
  {
    name: 'routed by one more, soon after',
    said: { egress: { peers: 1, routed: 1 }, observedMs: nowMs - 60_000 },
    want: 'undefined 240000',
  },
  { name: 'an agent of before said nothing of it', said: { egress: undefined }, want: 'undefined 299000' },
  {
    name: 'more peers, soon after',
    said: { peers: { expected: 1, leaked: 0 }, observedMs: nowMs - 60_000 },
    want: 'undefined 240000',
  },
  {
    name: 'more peers',
    said: { peers: { expected: 1, leaked: 0 }, observedMs: nowMs - 300_000 },
    want: 'status undefined',
  },
  {
    name: 'more peers, by a clock that was wrong',
    said: { peers: { expected: 1 }, observedMs: nowMs * 2 },
    want: 'status undefined',
  },
  { name: 'the same in another order', said: { peers: { leaked: 0, expected: 2 } }, want: 'undefined undefined' },
]

for (const { name, known, said, ageMs = 60_000, want } of cases) {
  t.test(`publication: ${name}`, async t => {
    const written = { ...network(1), status: { ...status, observedMs: nowMs - 1_000, ...said }, ...known }
    const plan = planPublication({ known: written, wish, owner: 'node-1', ageMs, nowMs })
    t.equal(`${plan.action?.kind} ${plan.againMs}`, want)
  })
}

t.test('what is not there is made', async t => {
  const plan = planPublication({ known: undefined, wish, owner: 'node-1', ageMs: 0, nowMs })
  t.strictSame(plan.action, { kind: 'create', spec: wish.spec })
})

function bed() {
  const writes: string[] = []
  const world = {
    nowMs: 0,
    fault: undefined as KubeError | undefined,
    seen: undefined as NodeNetwork | undefined | false,
    wish: wish as Wish | undefined,
    object: network(1) as NodeNetwork,
  }
  const note = (kind: string, change: Partial<NodeNetwork>) => {
    if (world.fault !== undefined) throw world.fault
    writes.push(kind)
    const version = String(Number(world.object.resourceVersion) + 1)
    world.object = { ...world.object, ...change, resourceVersion: version }
    return Promise.resolve(world.object)
  }
  const writer: NodeNetworkWriter = {
    create: async (_, spec) => note('create', { spec }),
    setSpec: async (_, spec) => note('spec', { spec }),
    setStatus: async (_, made) => note('status', { status: made }),
  }
  const log = createRecordingLogger()
  const duty = createPublishDuty({
    owner: () => ({ name: 'n1', uid: 'node-1' }),
    seen: () => world.seen,
    wish: async () => world.wish,
    writer,
    clock: { now: () => nowMs + world.nowMs, monotonic: () => world.nowMs, after: () => () => undefined },
    log,
  })
  return { world, writes, log, run: () => duty.reconcile(new AbortController().signal) }
}

t.test('first the object, then, when the verdict lasts, its status; then nothing', async t => {
  const { world, writes, run } = bed()
  world.seen = false
  t.equal(await run(), undefined, 'nobody knows yet what is there')
  world.seen = undefined
  t.equal(await run(), 0)
  t.equal(await run(), 3_000, 'the watch has not told of it yet')
  world.nowMs = 3_000
  await run()
  world.seen = world.object
  await run()
  world.nowMs = 3_600_000
  t.equal(await run(), undefined)
  t.strictSame(writes, ['create', 'status'])
})

t.test('an older sight than our own write counts for nothing', async t => {
  const { world, writes, run } = bed()
  world.seen = network(1, { endpoint: undefined })
  await run()
  await run()
  t.strictSame(writes, ['spec'])
})

t.test('one that somebody removes is made again', async t => {
  const { world, writes, run } = bed()
  await run()
  world.seen = world.object
  world.nowMs = 10_000
  await run()
  world.seen = undefined
  world.nowMs = 20_000
  await run()
  t.strictSame(writes, ['create', 'status', 'create'])
})

t.test('a cluster without the definition is said once', async t => {
  const { world, log, run } = bed()
  world.fault = new KubeError('NotFound', 'POST: 404', { status: 404 })
  t.equal(await run(), 300_000)
  await run()
  t.equal(log.lines.length, 1)
  world.fault = new KubeError('Forbidden', 'POST: 403', { status: 403 })
  await t.rejects(run(), { code: 'Forbidden' })
})

t.test('nothing to say, nothing written', async t => {
  const { world, writes, run } = bed()
  world.wish = undefined
  t.equal(await run(), undefined)
  t.strictSame(writes, [])
})
