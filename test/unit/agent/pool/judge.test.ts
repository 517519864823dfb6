import t from 'tap'
import { parseNode } from '../../../../agent/kube/node.ts'
import { judge, type Wish } from '../../../../agent/pool/judge.ts'
import { countMisses } from '../../../../agent/pool/misses.ts'
import { type PoolNode, toPoolNode } from '../../../../agent/pool/pool-node.ts'
import type { CloudServer } from '../../../../agent/pool/server.ts'

const gate = {
  taint: { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' },
  label: { key: 'node-ready/verified', value: 'true' },
} as const

const good: PoolNode = {
  name: 'n1',
  server: 1,
  ready: true,
  verified: true,
  cordoned: false,
  leaving: false,
  controlPlane: false,
}

interface WishCase {
  readonly name: string
  readonly status?: string
  readonly blocked?: boolean
  /** null = there is no Node. */
  readonly node?: Partial<PoolNode> | null
  /** With `nodes` any, known, ready, verified. */
  readonly want: readonly [any: Wish, known: Wish, ready: Wish, verified: Wish]
}

const cases: readonly WishCase[] = [
  { name: 'a good node', want: ['add', 'add', 'add', 'add'] },
  { name: 'no Node', node: null, want: ['add', 'miss', 'miss', 'miss'] },
  { name: 'a Node that is not ready', node: { ready: false }, want: ['add', 'add', 'miss', 'miss'] },
  { name: 'a Node that is not verified', node: { verified: false }, want: ['add', 'add', 'add', 'remove'] },
  {
    name: 'neither ready nor verified',
    node: { ready: false, verified: false },
    want: ['add', 'add', 'miss', 'remove'],
  },
  { name: 'cordoned', node: { cordoned: true }, want: ['add', 'add', 'remove', 'remove'] },
  { name: 'leaving', node: { leaving: true }, want: ['add', 'remove', 'remove', 'remove'] },
  { name: 'control plane', node: { controlPlane: true }, want: ['add', 'keep', 'keep', 'keep'] },
  { name: 'off', status: 'off', want: ['miss', 'miss', 'miss', 'miss'] },
  {
    name: 'off, and a control plane',
    status: 'off',
    node: { controlPlane: true },
    want: ['miss', 'miss', 'miss', 'miss'],
  },
  { name: 'still being made', status: 'initializing', want: ['miss', 'miss', 'miss', 'miss'] },
  { name: 'being deleted', status: 'deleting', want: ['remove', 'remove', 'remove', 'remove'] },
  { name: 'blocked', blocked: true, want: ['remove', 'remove', 'remove', 'remove'] },
]

const block = '203.0.113.1/32'

function server(id: number, status: string, blocked = false): CloudServer {
  return { id, name: `s${id}`, status, addresses: [{ family: 'ipv4', block, blocked }] }
}

for (const { name, status = 'running', blocked = false, node, want } of cases) {
  t.test(name, async t => {
    const nodes = new Map(node === null ? [] : [[1, { ...good, ...node }]])
    const asked = ['any', 'known', 'ready', 'verified'] as const
    const got = asked.map(each => judge([server(1, status, blocked)], nodes, { nodes: each, ipFamilies: ['ipv4'] }))
    t.same(
      got.map(each => each.get(block)?.wish),
      want,
    )
  })
}

t.test('an address that two servers show while it moves', async t => {
  const moved = [server(1, 'deleting'), server(2, 'running')]
  const either = [moved, moved.toReversed()].map(servers =>
    judge(servers, new Map(), { nodes: 'any', ipFamilies: ['ipv4'] }),
  )
  for (const each of either) t.same(each.get(block), { wish: 'add', server: 2 })
})

t.test('families', async t => {
  const both: CloudServer = {
    ...server(1, 'running'),
    addresses: [
      { family: 'ipv4', block, blocked: false },
      { family: 'ipv6', block: '2001:db8::1/128', blocked: false },
    ],
  }
  const of = (ipFamilies: readonly ('ipv4' | 'ipv6')[]) => [
    ...judge([both], new Map(), { nodes: 'any', ipFamilies }).keys(),
  ]
  t.same(of(['ipv4']), [block])
  t.same(of(['ipv6']), ['2001:db8::1/128'])
  t.same(of(['ipv4', 'ipv6']), [block, '2001:db8::1/128'])
})

t.test('misses count lists, not looks; one that comes back begins anew', async t => {
  const first = countMisses(new Map(), ['a'], { nowMs: 10, isNewList: true })
  t.same([...first], [['a', { count: 1, sinceMs: 10 }]])
  const looked = countMisses(first, ['a', 'b'], { nowMs: 20, isNewList: false })
  t.same(
    [...looked],
    [
      ['a', { count: 1, sinceMs: 10 }],
      ['b', { count: 0, sinceMs: 20 }],
    ],
  )
  const listed = countMisses(looked, ['b'], { nowMs: 30, isNewList: true })
  t.same([...listed], [['b', { count: 1, sinceMs: 20 }]])
  t.same([...countMisses(listed, ['a'], { nowMs: 40, isNewList: true })], [['a', { count: 1, sinceMs: 40 }]])
})

t.test('a Node', async t => {
  const node = (more: { metadata?: object; spec?: object; status?: object }) => ({
    metadata: { name: 'n1', uid: 'u1', labels: { 'node-ready/verified': 'true' }, ...more.metadata },
    spec: { providerID: 'hcloud://1', ...more.spec },
    status: { conditions: [{ type: 'Ready', status: 'True' }], ...more.status },
  })
  const see = (body: unknown) => {
    const found = parseNode(body)
    return found && toPoolNode(found, gate)
  }
  const parse = (more: Parameters<typeof node>[0]) => see(node(more))
  t.same(parse({}), good)
  for (const providerID of ['hrobot://1', 'hcloud://bm-1', 'hcloud://', 'aws://1', 'hcloud://0', 'hcloud://1x'])
    t.equal(parse({ spec: { providerID } }), undefined, providerID)
  t.equal(see({ metadata: { name: 'n1', uid: 'u1' }, spec: {} }), undefined)
  t.match(parse({ spec: { taints: [{ key: 'node-ready/unverified', effect: 'NoSchedule' }] } }), { verified: false })
  t.match(parse({ spec: { taints: [{ key: 'node-ready/unverified', effect: 'NoExecute' }] } }), { verified: true })
  t.match(parse({ metadata: { labels: { 'node-ready/verified': 'false' } } }), { verified: false })
  t.match(parse({ spec: { unschedulable: true } }), { cordoned: true })
  t.match(parse({ spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } }), {
    leaving: true,
  })
  t.match(parse({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), { leaving: true })
  t.match(parse({ metadata: { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } } }), {
    leaving: true,
  })
  t.match(parse({ status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }), { ready: false })
})
