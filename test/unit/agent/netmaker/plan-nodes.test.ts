import t from 'tap'
import { a, b, c, checkRow, dead, nine, none, other, type Row, rule } from './case.ts'

const rows: readonly Row[] = [
  // Hosts
  { name: 'no host of that name', nodes: { n1: [a] }, hosts: { else: ['lab'] }, want: [], unmatched: ['n1 NoHost'] },
  {
    name: 'a host that is in no network',
    nodes: { n1: [a] },
    hosts: { n1: [] },
    want: [],
    unmatched: ['n1 NotInNetwork'],
  },
  {
    name: 'two hosts of one name: told, not guessed, and nothing is taken away',
    nodes: { ...nine, n1: [a] },
    moreHosts: ['HOST-x n1'],
    rules: [other, rule('r1', 'n1', [0, a])],
    want: [],
    unmatched: ['n1 TwoHosts'],
  },
  {
    name: 'hosts renamed in the dashboard: nothing is taken away',
    nodes: { ...nine, n1: [a] },
    hosts: { n9: ['lab'] },
    moreHosts: ['HOST-n1 renamed'],
    moreNodes: [{ id: 'n1@lab', hostId: 'HOST-n1', network: 'lab', connected: true, leaving: false }],
    rules: [other, rule('r1', 'n1', [0, a])],
    want: [],
    unmatched: ['n1 NoHost'],
  },
  {
    name: 'a host that has left the network: its rule waits for it',
    nodes: { ...nine, n1: [a] },
    hosts: { n9: ['lab'], n1: ['dual'] },
    rules: [other, rule('r1', 'n1', [0, a], none)],
    want: [`create dual n1 0 ${a} NoRule`],
  },
  // Nodes that are gone
  {
    name: 'a Node gone, its host too',
    nodes: nine,
    rules: [other, rule('r1', 'n1', [0, a], none)],
    want: ['delete r1 NodeGone'],
  },
  {
    name: 'a Node gone, its host still there',
    nodes: nine,
    hosts: { n9: ['lab'], n1: ['lab'] },
    rules: [other, rule('r1', 'n1', [0, a])],
    want: ['delete r1 NodeGone'],
  },
  {
    name: 'a Node gone, its network too',
    nodes: nine,
    rules: [other, rule('r1', 'n1', [0, a], { ...dead, network: 'old' })],
    want: ['delete r1 NodeGone'],
  },
  {
    name: 'a network gone, its Node not: the rule stays, for a network made again has it again',
    nodes: { n1: [a] },
    rules: [rule('r1', 'n1', [0, a]), rule('r2', 'n1', [0, a], { ...dead, network: 'old' })],
    want: [],
  },
  {
    name: 'a rule without any name',
    nodes: nine,
    rules: [other, rule('r1', 'n1', [0, a], { ...none, name: 'mine' })],
    want: [],
    held: ['delete r1 Unconfirmed'],
  },
  // Scope
  {
    name: 'rules of nobody and of others are not looked at',
    nodes: { n1: [a] },
    rules: [
      rule('r1', 'n1', [0, a]),
      rule('r2', 'n1', [0, a], { description: 'mine' }),
      rule('r3', 'gone', [0, a], { ...none, description: 'index=0' }),
      rule('r4', 'gone', [0, b], { ...none, description: 'Managed by kaput-not (DO NOT EDIT): cluster=red index=0' }),
    ],
    want: [],
  },
  {
    name: 'the name of the cluster',
    nodes: { n1: [a] },
    cluster: 'blue',
    rules: [rule('r1', 'n1', [0, a], { description: 'Managed by kaput-not (DO NOT EDIT): cluster=blue index=0' })],
    want: [],
  },
  {
    name: "a rule on our node by another cluster's name",
    nodes: { n1: [a] },
    cluster: 'blue',
    rules: [rule('r1', 'n1', [0, a])],
    want: [`create lab n1 0 ${a} NoRule`],
    held: ['delete r1 OtherCluster'],
  },
  // Lists
  {
    name: 'no Nodes',
    nodes: {},
    hosts: { n1: ['lab'] },
    rules: [rule('r1', 'n1', [0, a])],
    want: [],
    held: ['delete r1 EmptyList'],
  },
  {
    name: 'no hosts and no nodes',
    nodes: nine,
    hosts: {},
    rules: [rule('r1', 'n1', [0, a], none)],
    want: [],
    held: ['delete r1 EmptyList'],
    unmatched: ['n9 NoHost'],
  },
  {
    name: 'no rule of ours belongs to any Node: perhaps it is another cluster',
    nodes: { x: [c] },
    rules: [rule('r1', 'n1', [0, a], none), rule('r2', 'n2', [0, b], none)],
    want: [`create lab x 0 ${c} NoRule`],
    held: ['delete r1 PartialList', 'delete r2 PartialList'],
  },
]

for (const row of rows) t.test(row.name, async t => checkRow(t, row))
