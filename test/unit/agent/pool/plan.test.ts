import t from 'tap'
import type { Judged, Wish } from '../../../../agent/pool/judge.ts'
import { type PlanSettings, type PoolView, planPool } from '../../../../agent/pool/plan.ts'

/** 203.0.113.n/32 */
const ip = (n: number) => `203.0.113.${n}/32`
const cidrs = (...numbers: readonly number[]) => numbers.map(n => ({ cidr: ip(n) }))
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

const settings: PlanSettings = {
  policy: 'sync',
  minAddresses: 1,
  maxRemovals: { share: 0.2 },
  misses: 3,
  missTimeMs: 300_000,
  allowUnsafeCilium: false,
}

/** Address n is of server n and has that wish. */
function judged(wishes: Readonly<Record<number, Wish>>): ReadonlyMap<string, Judged> {
  return new Map(Object.entries(wishes).map(([n, wish]) => [ip(Number(n)), { wish, server: Number(n) }]))
}

const wanted = (...numbers: readonly number[]) => judged(Object.fromEntries(numbers.map(n => [n, 'add' as const])))
/** Missed long and often enough. */
const missed = (...numbers: readonly number[]) => new Map(numbers.map(n => [ip(n), { count: 3, sinceMs: 0 }]))

interface PlanCase {
  readonly name: string
  readonly view: Partial<PoolView>
  readonly settings?: Partial<PlanSettings>
  readonly actions?: readonly string[]
  readonly held?: readonly string[]
  readonly blocks: readonly object[]
}

const cases: readonly PlanCase[] = [
  {
    name: 'no pool yet: it is made, in the order of the servers',
    view: { blocks: undefined, judged: wanted(1, 2) },
    actions: [`create ${ip(1)} NewServer`, `create ${ip(2)} NewServer`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'a new server: its address comes last',
    view: { blocks: cidrs(5, 1), judged: wanted(1, 3, 5) },
    actions: [`add ${ip(3)} NewServer`],
    blocks: cidrs(5, 1, 3),
  },
  {
    name: 'shuffled order writes nothing',
    view: { blocks: cidrs(3, 1, 2), judged: wanted(1, 2, 3) },
    blocks: cidrs(3, 1, 2),
  },
  {
    name: 'a server that is gone for long',
    view: { blocks: cidrs(1, 2), judged: wanted(1), misses: missed(2) },
    actions: [`remove ${ip(2)} ServerGone`],
    blocks: cidrs(1),
  },
  {
    name: 'not missed often enough: should not go',
    view: { blocks: cidrs(1, 2), judged: wanted(1), misses: new Map([[ip(2), { count: 2, sinceMs: 0 }]]) },
    held: [`remove ${ip(2)} Missed`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'not missed long enough: should not go',
    view: { blocks: cidrs(1, 2), judged: wanted(1), misses: new Map([[ip(2), { count: 9, sinceMs: 700_001 }]]) },
    held: [`remove ${ip(2)} Missed`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'missed for the first time: should not go',
    view: { blocks: cidrs(1, 2), judged: wanted(1) },
    held: [`remove ${ip(2)} Missed`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'a node that says itself that it is not to be used goes at once',
    view: { blocks: cidrs(1, 2), judged: judged({ 1: 'add', 2: 'remove' }) },
    actions: [`remove ${ip(2)} NotWanted`],
    blocks: cidrs(1),
  },
  {
    name: 'a server that is off: should not go before that lasts',
    view: { blocks: cidrs(1, 2), judged: judged({ 1: 'add', 2: 'miss' }) },
    held: [`remove ${ip(2)} Missed`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'one that is to stay neither comes nor goes',
    view: { blocks: cidrs(1), judged: judged({ 1: 'keep', 2: 'keep' }) },
    blocks: cidrs(1),
  },
  {
    name: 'an address that a Service has: should not go, it drains',
    view: { blocks: cidrs(1, 2), judged: judged({ 1: 'add', 2: 'remove' }), inUse: new Set([ip(2)]) },
    held: [`remove ${ip(2)} InUse`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'the last address: should not go',
    view: { blocks: cidrs(1), judged: judged({ 1: 'remove' }) },
    held: [`remove ${ip(1)} Floor`],
    blocks: cidrs(1),
  },
  {
    name: 'the last one goes where another comes',
    view: { blocks: cidrs(1), judged: judged({ 1: 'remove', 2: 'add' }) },
    actions: [`remove ${ip(1)} NotWanted`, `add ${ip(2)} NewServer`],
    blocks: cidrs(2),
  },
  {
    name: 'more than the share: should not go, but one may',
    view: { blocks: cidrs(1, 2, 3), judged: judged({ 1: 'remove', 2: 'remove', 3: 'add' }) },
    actions: [`remove ${ip(1)} NotWanted`],
    held: [`remove ${ip(2)} Share`],
    blocks: cidrs(2, 3),
  },
  {
    name: 'the share was used up a moment ago: should not go',
    view: { blocks: cidrs(1, 2, 3), judged: judged({ 1: 'remove', 2: 'add', 3: 'add' }), removed: 1 },
    held: [`remove ${ip(1)} Share`],
    blocks: cidrs(1, 2, 3),
  },
  {
    name: '20 servers, then 3: should not go, not even when that lasts, but for a fifth',
    view: { blocks: cidrs(...upTo(20)), judged: wanted(1, 2, 3), misses: missed(...upTo(20)) },
    actions: [4, 5, 6, 7].map(n => `remove ${ip(n)} ServerGone`),
    held: upTo(20)
      .slice(7)
      .map(n => `remove ${ip(n)} Share`),
    blocks: cidrs(1, 2, 3, ...upTo(20).slice(7)),
  },
  {
    name: 'no servers at all: should not go',
    view: { blocks: cidrs(1, 2), judged: new Map(), servers: 0, misses: missed(1, 2) },
    held: [`remove ${ip(1)} NoServers`, `remove ${ip(2)} NoServers`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'an answer that cannot be trusted, the last good list beside it: should not change',
    view: { blocks: cidrs(1, 2), judged: judged({ 1: 'remove', 3: 'add' }), badAnswer: true, misses: missed(2) },
    held: [`remove ${ip(1)} BadAnswer`, `remove ${ip(2)} BadAnswer`, `add ${ip(3)} BadAnswer`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'an answer that cannot be trusted, and no list: should not change, also where a pool may be empty',
    view: { blocks: cidrs(1), judged: new Map(), servers: 0, badAnswer: true, misses: missed(1) },
    settings: { minAddresses: 0 },
    held: [`remove ${ip(1)} BadAnswer`],
    blocks: cidrs(1),
  },
  {
    name: 'no servers at all, and that is meant',
    view: { blocks: cidrs(1), judged: new Map(), servers: 0, misses: missed(1) },
    settings: { minAddresses: 0 },
    actions: [`remove ${ip(1)} ServerGone`],
    blocks: [],
  },
  {
    name: 'upsert-only: should not go, and comes',
    view: { blocks: cidrs(1), judged: judged({ 1: 'remove', 2: 'add' }) },
    settings: { policy: 'upsert-only' },
    actions: [`add ${ip(2)} NewServer`],
    held: [`remove ${ip(1)} Policy`],
    blocks: cidrs(1, 2),
  },
  {
    name: 'create-only: a pool that is there should not change',
    view: { blocks: cidrs(1), judged: judged({ 1: 'remove', 2: 'add' }) },
    settings: { policy: 'create-only' },
    held: [`remove ${ip(1)} Policy`, `add ${ip(2)} Policy`],
    blocks: cidrs(1),
  },
  {
    name: 'create-only: makes the pool',
    view: { blocks: undefined, judged: wanted(1) },
    settings: { policy: 'create-only' },
    actions: [`create ${ip(1)} NewServer`],
    blocks: cidrs(1),
  },
  {
    name: 'a Cilium that cuts nodes off: should not come, and what is there may go',
    view: { blocks: cidrs(1, 9), judged: judged({ 1: 'add', 2: 'add', 9: 'remove' }), ciliumUnsafe: true },
    actions: [`remove ${ip(9)} NotWanted`],
    held: [`add ${ip(2)} CiliumUnsafe`],
    blocks: cidrs(1),
  },
  {
    name: 'a Cilium that cuts nodes off: the pool should not be made',
    view: { blocks: undefined, judged: wanted(1), ciliumUnsafe: true },
    held: [`create ${ip(1)} CiliumUnsafe`],
    blocks: [],
  },
  {
    name: 'a Cilium that cuts nodes off, and somebody insists',
    view: { blocks: cidrs(1), judged: wanted(1, 2), ciliumUnsafe: true },
    settings: { allowUnsafeCilium: true },
    actions: [`add ${ip(2)} NewServer`],
    blocks: cidrs(1, 2),
  },
  {
    name: "somebody else's pool: should not change",
    view: { blocks: cidrs(1), judged: judged({ 1: 'remove', 2: 'add' }), foreign: true },
    held: [`remove ${ip(1)} Floor`, `add ${ip(2)} Foreign`].map(row => row.replace('Floor', 'Foreign')),
    blocks: cidrs(1),
  },
  {
    name: 'ranges that people have written stay, and what they hold does not come twice',
    view: {
      blocks: [{ cidr: '203.0.113.0/30' }, { start: '203.0.113.8', stop: '203.0.113.9' }, { cidr: ip(20) }],
      judged: wanted(2, 8, 10, 20),
    },
    actions: [`add ${ip(10)} NewServer`],
    held: ['remove 203.0.113.0/30 Foreign', 'remove 203.0.113.8-203.0.113.9 Foreign'],
    blocks: [
      { cidr: '203.0.113.0/30' },
      { start: '203.0.113.8', stop: '203.0.113.9' },
      { cidr: ip(20) },
      { cidr: ip(10) },
    ],
  },
  {
    name: 'a block that stands there twice is left once, to the letter',
    view: {
      blocks: [{ cidr: '2001:DB8::1/128' }, ...cidrs(1, 1), { cidr: '2001:db8:0::1/128' }],
      judged: new Map([...wanted(1), ['2001:db8::1/128', { wish: 'add', server: 4 }]]),
    },
    blocks: [{ cidr: '2001:DB8::1/128' }, ...cidrs(1)],
  },
]

for (const { name, view, settings: own, actions = [], held = [], blocks } of cases) {
  t.test(name, async t => {
    const whole: PoolView = {
      blocks: [],
      foreign: false,
      judged: new Map(),
      servers: view.judged?.size ?? 0,
      misses: new Map(),
      inUse: new Set(),
      badAnswer: false,
      ciliumUnsafe: false,
      removed: 0,
      nowMs: 1_000_000,
      ...view,
    }
    const plan = planPool(whole, { ...settings, ...own })
    const show = (list: typeof plan.actions) => list.map(({ action, block, reason }) => `${action} ${block} ${reason}`)
    t.same({ actions: show(plan.actions), held: show(plan.held), blocks: plan.blocks }, { actions, held, blocks })
  })
}

t.test('the server of each action is named', async t => {
  const view: PoolView = {
    blocks: cidrs(1, 2, 3),
    foreign: false,
    judged: judged({ 2: 'remove', 3: 'add', 4: 'add' }),
    servers: 3,
    misses: missed(1),
    inUse: new Set(),
    badAnswer: false,
    ciliumUnsafe: false,
    removed: 0,
    nowMs: 1_000_000,
  }
  const { actions, desired } = planPool(view, { ...settings, maxRemovals: { nodes: 2 } })
  t.same(
    actions.map(({ block, server }) => [block, server]),
    [
      [ip(1), null],
      [ip(2), 2],
      [ip(4), 4],
    ],
  )
  t.same(desired, [ip(3), ip(4)])
})
