import t from 'tap'
import { planEgress } from '../../../../agent/netmaker/plan.ts'
import { a, b, c, checkRow, dead, nine, none, observe, other, type Row, rule, six } from './case.ts'

const two = (id: string, index: number, range: string) =>
  rule(id, 'n1', [index, range], { name: `n1 pods (${index + 1}/2)` })

const rows: readonly Row[] = [
  { name: 'as it should be', nodes: { n1: [a] }, rules: [rule('r1', 'n1', [0, a])], want: [] },
  {
    name: 'no rules yet',
    nodes: { n1: [a], n2: [b] },
    want: [`create lab n1 0 ${a} NoRule`, `create lab n2 0 ${b} NoRule`],
  },
  {
    name: 'two CIDRs, dual stack',
    nodes: { n1: [a, six] },
    want: [`create lab n1 0 ${a} NoRule`, `create lab n1 1 ${six} NoRule`],
  },
  {
    name: 'several networks',
    nodes: { n1: [a] },
    hosts: { n1: ['lab', 'dual'] },
    rules: [rule('r1', 'n1', [0, a])],
    want: [`create dual n1 0 ${a} NoRule`],
  },
  {
    name: 'a range in another spelling is the same',
    nodes: { n1: ['FD00:0042:0:1::7/64'] },
    rules: [rule('r1', 'n1', [0, six])],
    want: [],
  },
  { name: 'a CIDR twice is one', nodes: { n1: [a, '10.42.1.9/24'] }, rules: [rule('r1', 'n1', [0, a])], want: [] },
  { name: 'junk instead of a CIDR', nodes: { n1: ['junk'] }, want: [], unmatched: ['n1 NoCIDR'] },
  // Ranges
  {
    name: 'another CIDR',
    nodes: { n1: [b] },
    rules: [rule('r1', 'n1', [0, a])],
    want: [`update r1 lab n1 0 ${b} RangeChanged`],
  },
  {
    name: 'two CIDRs become one: the name of the other changes too',
    nodes: { n1: [a] },
    rules: [two('r1', 0, a), two('r2', 1, b)],
    want: [`update r1 lab n1 0 ${a} Drifted`, 'delete r2 CIDRGone'],
  },
  {
    name: 'the first of two goes',
    nodes: { n1: [b] },
    rules: [two('r1', 0, a), two('r2', 1, b)],
    want: [`update r2 lab n1 0 ${b} Drifted`, 'delete r1 CIDRGone'],
  },
  {
    name: 'one CIDR becomes two',
    nodes: { n1: [a, b] },
    rules: [rule('r1', 'n1', [0, a])],
    want: [`create lab n1 1 ${b} NoRule`, `update r1 lab n1 0 ${a} Drifted`],
  },
  {
    name: 'the order changes: no range changes',
    nodes: { n1: [b, a] },
    rules: [two('r1', 0, a), two('r2', 1, b)],
    want: [`update r2 lab n1 0 ${b} Drifted`, `update r1 lab n1 1 ${a} Drifted`],
  },
  {
    name: 'no CIDRs: they have not come yet',
    nodes: { ...nine, n1: [] },
    rules: [other, rule('r1', 'n1', [0, a])],
    want: [],
    held: ['delete r1 Unconfirmed'],
    unmatched: ['n1 NoCIDR'],
  },
  {
    name: 'no CIDRs, and another Node has the range',
    nodes: { n1: [], n2: [a] },
    rules: [rule('r1', 'n1', [0, a]), rule('r2', 'n2', [0, a])],
    want: ['delete r1 CIDRGone'],
    unmatched: ['n1 NoCIDR'],
  },
  {
    name: 'a CIDR goes from Node to Node: made there before it is changed here',
    nodes: { n1: [b], n2: [a] },
    rules: [rule('r1', 'n1', [0, a])],
    want: [`create lab n2 0 ${a} NoRule`, `update r1 lab n1 0 ${b} RangeChanged`],
  },
  // Drift
  ...(
    [
      ['name', { name: 'mine' }],
      ['NAT', { nat: true }],
      ['disabled', { status: false }],
      ['index', { description: 'Managed by kaput-not (DO NOT EDIT): index=7' }],
      ['no index', { description: 'Managed by kaput-not (DO NOT EDIT): index=x' }],
      ['a domain', { domain: 'pods.example.test' }],
      ['tags', { tags: { green: 1 } }],
      ['tags of older versions', { tags: ['green'] }],
    ] as const
  ).map(([what, more]) => ({
    name: `drift: ${what}`,
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a], more)],
    want: [`update r1 lab n1 0 ${a} Drifted`],
  })),
  ...(
    [
      ['metric', { nodes: { 'n1@lab': 7 } }],
      ['a second router', { nodes: { 'n1@lab': 500, 'n2@lab': 600 } }],
      ['a dead second router', { nodes: { 'n1@lab': 500, 'dead@lab': 600 } }],
      ['mode', { mode: '' }],
      ['virtual range', { virtual_range: '10.0.0.0/8' }],
      ['a field of later versions', { access: { groups: ['g'] } }],
      ['empty tags of older versions', { tags: [] }],
    ] as const
  ).map(([what, more]) => ({
    name: `no drift: ${what}`,
    nodes: { n1: [a], n2: [b] },
    rules: [rule('r1', 'n1', [0, a], more), rule('r2', 'n2', [0, b])],
    want: [],
  })),
  // Nodes of the mesh
  {
    name: 'joined again: the rule was emptied',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a], none)],
    want: [`adopt r1 lab n1 0 ${a} NodeReplaced`],
  },
  {
    name: 'joined again: the rule has the dead id',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a], dead)],
    want: [`adopt r1 lab n1 0 ${a} NodeReplaced`],
  },
  {
    name: 'joined again with another CIDR',
    nodes: { n1: [b] },
    rules: [rule('r1', 'n1', [0, a], none)],
    want: [`adopt r1 lab n1 0 ${b} NodeReplaced`],
  },
  {
    name: 'emptied and renamed by hand: it is his who wants the range',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a], { ...none, name: 'mine' })],
    want: [`adopt r1 lab n1 0 ${a} NodeReplaced`],
  },
  {
    name: 'a rule that has a node is better than one that was emptied',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a], none), rule('r2', 'n1', [0, a])],
    want: ['delete r1 Duplicate'],
  },
  {
    name: 'host and Node renamed, the node of the mesh is the same',
    nodes: { new: [a] },
    hosts: { new: [] },
    moreNodes: [{ id: 'old@lab', hostId: 'HOST-new', network: 'lab', connected: true, leaving: false }],
    rules: [rule('r1', 'old', [0, a])],
    want: [`update r1 lab new 0 ${a} Drifted`],
  },
  {
    name: 'one host with two nodes in a network: one rule, for the first',
    nodes: { n1: [a] },
    moreNodes: [{ id: 'a@lab', hostId: 'HOST-n1', network: 'lab', connected: true, leaving: false }],
    want: [`create lab n1 0 ${a} NoRule`],
  },
  {
    name: 'one host with two nodes in a network: a rule on either is right',
    nodes: { n1: [a] },
    moreNodes: [{ id: 'a@lab', hostId: 'HOST-n1', network: 'lab', connected: true, leaving: false }],
    rules: [rule('r1', 'n1', [0, a])],
    want: [],
  },
  {
    name: 'a node that was told to leave gets no rule and keeps its own',
    nodes: { ...nine, n1: [a] },
    hosts: { n9: ['lab'], n1: [] },
    moreNodes: [{ id: 'n1@lab', hostId: 'HOST-n1', network: 'lab', connected: true, leaving: true }],
    rules: [other, rule('r1', 'n1', [0, a])],
    want: [],
    unmatched: ['n1 NotInNetwork'],
  },
  {
    name: 'a disconnected node keeps its rule',
    nodes: { n1: [a] },
    hosts: { n1: [] },
    moreNodes: [{ id: 'n1@lab', hostId: 'HOST-n1', network: 'lab', connected: false, leaving: false }],
    rules: [rule('r1', 'n1', [0, a])],
    want: [],
  },
  // Doubles
  {
    name: 'the same rule twice: the older stays',
    nodes: { n1: [a] },
    rules: [rule('r2', 'n1', [0, a]), rule('r1', 'n1', [0, a]), rule('r3', 'n1', [0, a])],
    want: ['delete r2 Duplicate', 'delete r3 Duplicate'],
  },
  {
    name: 'two of one index, of which one has an old range',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, b]), rule('r2', 'n1', [0, a])],
    want: ['delete r1 CIDRGone'],
  },
  {
    name: 'two of one index, both old: one is changed',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, b]), rule('r2', 'n1', [0, c])],
    want: [`update r1 lab n1 0 ${a} RangeChanged`, 'delete r2 CIDRGone'],
  },
  {
    name: 'one range on two Nodes: a rule for each, which others report',
    nodes: { n1: [a], n2: [a] },
    rules: [rule('r1', 'n1', [0, a]), rule('r2', 'n2', [0, a])],
    want: [],
  },
]

for (const row of rows) t.test(row.name, async t => checkRow(t, row))

t.test('kaput-not makes the same rule', async t => {
  const [write] = planEgress(observe({ nodes: { n1: [a, six] } })).writes
  t.same(write?.body, {
    name: 'n1 pods (1/2)',
    network: 'lab',
    description: 'Managed by kaput-not (DO NOT EDIT): index=0',
    range: a,
    nat: false,
    nodes: { 'n1@lab': 500 },
  })
  const named = planEgress(observe({ nodes: { n1: [a] }, cluster: 'blue' })).writes[0]?.body
  t.equal(named?.description, 'Managed by kaput-not (DO NOT EDIT): cluster=blue index=0')
})

t.test('a rule put right keeps what is not ours', async t => {
  const more = {
    nodes: { 'n1@lab': 7, 'n2@lab': 600, 'dead@lab': 1 },
    access: { groups: ['g'] },
    virtual_range: 'v',
    nat: true,
  }
  const rules = [rule('r1', 'n1', [0, a], more), rule('r2', 'n2', [0, b])]
  const [write] = planEgress(observe({ nodes: { n1: [a], n2: [b] }, rules })).writes
  t.same(write?.body, { ...rules[0], nat: false, nodes: { 'n1@lab': 7, 'n2@lab': 600 } }, 'but for the dead node')
  const [adopt] = planEgress(
    observe({ nodes: { n1: [b] }, rules: [rule('r1', 'n1', [0, a], { ...none, status: false })] }),
  ).writes
  t.same(adopt?.body, { ...rule('r1', 'n1', [0, b]) })
})

t.test('figures', async t => {
  const rules = [
    rule('r1', 'n1', [0, a]),
    rule('r2', 'gone', [0, b], none),
    rule('r3', 'x', [0, c], { description: '' }),
  ]
  const { networks } = planEgress(observe({ nodes: { n1: [a, six] }, networks: ['empty'], rules }))
  t.same(networks, [
    { network: 'empty', wanted: 0, present: 0 },
    { network: 'lab', wanted: 2, present: 2 },
  ])
})
