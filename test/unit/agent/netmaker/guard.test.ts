import t from 'tap'
import { judgeDeletes } from '../../../../agent/netmaker/guard.ts'
import { planEgress } from '../../../../agent/netmaker/plan.ts'
import type { ClusterNode } from '../../../../agent/netmaker/world.ts'
import { a, b, c, nine, none, observe, other, rule, type Short } from './case.ts'

interface Row {
  readonly name: string
  readonly first: Short
  /** As the second reading has it; the first one's unless told. */
  readonly again?: Short
  /** What the API server says of a Node; unless told it has none. */
  readonly nodes?: Readonly<Record<string, readonly string[] | 'forbidden'>>
  readonly budget?: number
  readonly deletes: readonly string[]
  readonly held: readonly string[]
}

const gone = (id: string, node: string, range: string) => rule(id, node, [0, range], none)
const twoGone: Short = { nodes: nine, rules: [other, gone('r1', 'n1', a), gone('r2', 'n2', b)] }
const double: Short = { nodes: { n1: [a] }, rules: [rule('r1', 'n1', [0, a]), rule('r2', 'n1', [0, a])] }
const stale: Short = { nodes: { n1: [a] }, rules: [rule('r1', 'n1', [0, a]), rule('r2', 'n1', [1, b])] }

const rows: readonly Row[] = [
  { name: 'Nodes that are certainly gone', first: twoGone, deletes: ['r1', 'r2'], held: [] },
  {
    name: 'a Node that is there and was not listed: no other absence counts either',
    first: twoGone,
    nodes: { n2: [b] },
    deletes: [],
    held: ['r1 PartialList', 'r2 PartialList'],
  },
  {
    name: 'a Node that may not be asked for',
    first: twoGone,
    nodes: { n1: 'forbidden' },
    deletes: ['r2'],
    held: ['r1 Unconfirmed'],
  },
  {
    name: 'a second reading that has the Node again',
    first: twoGone,
    again: { ...twoGone, nodes: { ...nine, n1: [a] } },
    deletes: ['r2'],
    held: ['r1 Unconfirmed'],
  },
  {
    name: 'a second reading that has nothing',
    first: twoGone,
    again: { ...twoGone, nodes: {} },
    deletes: [],
    held: ['r1 EmptyList', 'r2 EmptyList'],
  },
  {
    name: 'a rule that somebody has changed meanwhile',
    first: twoGone,
    again: { ...twoGone, rules: [other, gone('r1', 'n1', c), gone('r2', 'n2', b)] },
    deletes: ['r2'],
    held: ['r1 Unconfirmed'],
  },
  { name: 'no more than the budget', first: twoGone, budget: 1, deletes: ['r1'], held: ['r2 Cap'] },
  { name: 'no budget', first: twoGone, budget: 0, deletes: [], held: ['r1 Cap', 'r2 Cap'] },
  { name: 'a double', first: double, deletes: ['r2'], held: [] },
  {
    name: 'a double whose other one somebody has deleted meanwhile',
    first: double,
    again: { nodes: { n1: [a] }, rules: [rule('r2', 'n1', [0, a])] },
    deletes: [],
    held: ['r2 Unconfirmed'],
  },
  { name: 'a CIDR that its Node does not have', first: stale, nodes: { n1: [a] }, deletes: ['r2'], held: [] },
  {
    name: 'a CIDR that its Node has again',
    first: stale,
    nodes: { n1: [a, b] },
    deletes: [],
    held: ['r2 Unconfirmed'],
  },
  { name: 'a CIDR whose Node is gone by now', first: stale, deletes: [], held: ['r2 Unconfirmed'] },
]

for (const row of rows) {
  t.test(row.name, async t => {
    const readNode = async (name: string): Promise<ClusterNode | undefined> => {
      const podCIDRs = row.nodes?.[name]
      if (podCIDRs === 'forbidden') throw new Error('403')
      return podCIDRs && { name, uid: `uid-${name}`, podCIDRs }
    }
    const first = planEgress(observe(row.first))
    const again = planEgress(observe(row.again ?? row.first))
    const { deletes, held } = await judgeDeletes(first, again, { readNode, budget: row.budget ?? 100 })
    t.same(
      deletes.map(one => one.rule.id),
      row.deletes,
    )
    t.same(
      held.map(one => `${one.rule.id} ${one.reason}`),
      row.held,
    )
  })
}
