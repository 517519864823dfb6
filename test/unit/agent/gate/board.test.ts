import t from 'tap'
import { createVerdictBoard } from '../../../../agent/gate/board.ts'
import { type NodeParts, nodeOf, ownLabel, ownTaint, settings, verdictOf } from './samples.ts'

type Sight = NodeParts | undefined

interface Case {
  readonly name: string
  /** What is seen of the node, one after the other. */
  readonly sights: readonly Sight[]
  /** What each sight calls into doubt. */
  readonly want: readonly (string | undefined)[]
}

const verified: NodeParts = { labels: ownLabel }
const fresh: NodeParts = { labels: {}, taints: [ownTaint] }

const cases: readonly Case[] = [
  { name: 'the first sight is no news', sights: [fresh], want: [undefined] },
  { name: 'our own lift', sights: [fresh, verified], want: [undefined, undefined] },
  { name: 'the label is removed', sights: [verified, { labels: {} }], want: [undefined, 'label removed'] },
  {
    name: 'the label is changed',
    sights: [verified, { labels: { 'node-ready/verified': 'no' } }],
    want: [undefined, 'label removed'],
  },
  {
    name: 'label games: one doubt for each removal',
    sights: [verified, {}, {}, verified, {}],
    want: [undefined, 'label removed', undefined, undefined, 'label removed'],
  },
  {
    name: 'the taint is put back under the label: the verdict still counts',
    sights: [verified, { ...verified, taints: [ownTaint] }],
    want: [undefined, undefined],
  },
  {
    name: 'the taint is put back after the label went',
    sights: [verified, {}, fresh],
    want: [undefined, 'label removed', 'taint put back'],
  },
  {
    name: 'a taint of others',
    sights: [verified, { ...verified, taints: [{ key: 'x', effect: 'NoSchedule' }] }],
    want: [undefined, undefined],
  },
  {
    name: 'another node under the name',
    sights: [verified, { ...verified, uid: 'u2' }],
    want: [undefined, 'node replaced'],
  },
  {
    name: 'gone, and another one comes',
    sights: [verified, undefined, { ...fresh, uid: 'u2' }],
    want: [undefined, 'node gone', 'node replaced'],
  },
  {
    name: 'gone, and the same one comes',
    sights: [verified, undefined, verified],
    want: [undefined, 'node gone', undefined],
  },
  { name: 'never there', sights: [undefined, undefined, fresh], want: [undefined, undefined, undefined] },
]

for (const row of cases) {
  t.test(row.name, async t => {
    const board = createVerdictBoard(settings)
    t.same(
      row.sights.map(sight => board.observe(sight && nodeOf(sight))),
      row.want,
    )
  })
}

t.test('a verdict counts for the node that was there when it began', async t => {
  const board = createVerdictBoard(settings)
  board.observe(nodeOf(fresh))
  const ticket = board.begin()
  t.ok(board.finish(ticket, verdictOf()))
  t.match(board.current(), { uid: 'u1', verdict: { passed: true } })
})

t.test('a node that is replaced during a verification gets nothing of it', async t => {
  const board = createVerdictBoard(settings)
  board.observe(nodeOf(fresh))
  const ticket = board.begin()
  board.observe(nodeOf({ ...fresh, uid: 'u2' }))
  t.notOk(board.finish(ticket, verdictOf()))
  t.equal(board.current(), undefined)
  t.ok(board.finish(board.begin(), verdictOf()))
  t.equal(board.current()?.uid, 'u2')
})

t.test('a label that is removed during a verification asks for another one', async t => {
  const board = createVerdictBoard(settings)
  board.observe(nodeOf(verified))
  board.finish(board.begin(), verdictOf())
  const ticket = board.begin()
  board.observe(nodeOf({ labels: {} }))
  t.equal(board.current(), undefined, 'the old verdict counts no more')
  t.notOk(board.finish(ticket, verdictOf()), 'nor does the one that had begun')
})

t.test('a verdict that came before the node was known counts for it', async t => {
  const board = createVerdictBoard(settings)
  board.finish(board.begin(), verdictOf())
  t.equal(board.current(), undefined)
  board.observe(nodeOf(fresh))
  t.equal(board.current()?.uid, 'u1')
})
