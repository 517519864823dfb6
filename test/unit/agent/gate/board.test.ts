import t from 'tap'
import { createVerdictBoard } from '../../../../agent/gate/board.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { failing, type NodeParts, nodeOf, ownLabel, ownTaint, settings, verdictOf } from './samples.ts'

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
    const board = createVerdictBoard(settings, createFakeClock())
    t.same(
      row.sights.map(sight => board.observe(sight && nodeOf(sight))),
      row.want,
    )
  })
}

t.test('a verdict counts for the node that was there when it began', async t => {
  const board = createVerdictBoard(settings, createFakeClock())
  board.observe(nodeOf(fresh))
  const ticket = board.begin()
  t.ok(board.finish(ticket, verdictOf()))
  t.match(board.current(), { uid: 'u1', verdict: { passed: true } })
})

t.test('a node that is replaced during a verification gets nothing of it', async t => {
  const board = createVerdictBoard(settings, createFakeClock())
  board.observe(nodeOf(fresh))
  const ticket = board.begin()
  board.observe(nodeOf({ ...fresh, uid: 'u2' }))
  t.notOk(board.finish(ticket, verdictOf()))
  t.equal(board.current(), undefined)
  t.ok(board.finish(board.begin(), verdictOf()))
  t.equal(board.current()?.uid, 'u2')
})

t.test('a label that is removed during a verification asks for another one', async t => {
  const board = createVerdictBoard(settings, createFakeClock())
  board.observe(nodeOf(verified))
  board.finish(board.begin(), verdictOf())
  const ticket = board.begin()
  board.observe(nodeOf({ labels: {} }))
  t.equal(board.current(), undefined, 'the old verdict counts no more')
  t.notOk(board.finish(ticket, verdictOf()), 'nor does the one that had begun')
})

t.test('a verdict that came before the node was known counts for it', async t => {
  const board = createVerdictBoard(settings, createFakeClock())
  board.finish(board.begin(), verdictOf())
  t.equal(board.current(), undefined)
  board.observe(nodeOf(fresh))
  t.equal(board.current()?.uid, 'u1')
})

t.test('runs of one outcome are counted, and how long they go on', async t => {
  const clock = createFakeClock()
  const board = createVerdictBoard(settings, clock)
  board.observe(nodeOf(verified))
  const outcomes = [true, false, false, false, true] as const
  const seen: unknown[] = []
  for (const passed of outcomes) {
    board.finish(board.begin(), passed ? verdictOf() : verdictOf(failing('dns', 'NXDomain')))
    await clock.advance(1_000)
    seen.push(board.current()?.streak)
  }
  t.same(seen, [
    { runs: 1, spanMs: 0, ageMs: 1_000 },
    { runs: 1, spanMs: 0, ageMs: 1_000 },
    { runs: 2, spanMs: 1_000, ageMs: 1_000 },
    { runs: 3, spanMs: 2_000, ageMs: 1_000 },
    { runs: 1, spanMs: 0, ageMs: 1_000 },
  ])
})

t.test('failing runs count on over a removed label, passing ones do not, and neither for another node', async t => {
  const rows = [
    { name: 'failing', passed: false, next: {}, runs: 2 },
    { name: 'passing', passed: true, next: {}, runs: 1 },
    { name: 'failing, another node', passed: false, next: { ...verified, uid: 'u2' }, runs: 1 },
  ] as const
  for (const { name, passed, next, runs } of rows) {
    const board = createVerdictBoard(settings, createFakeClock())
    const verdict = passed ? verdictOf() : verdictOf(failing('dns', 'NXDomain'))
    board.observe(nodeOf(verified))
    board.finish(board.begin(), verdict)
    t.ok(board.observe(nodeOf(next)), name)
    board.finish(board.begin(), verdict)
    t.equal(board.current()?.streak.runs, runs, name)
  }
})

t.test('our own taint on a failing node is no doubt', async t => {
  for (const start of [verified, { labels: {} }]) {
    const board = createVerdictBoard(settings, createFakeClock())
    board.observe(nodeOf(start))
    board.finish(board.begin(), verdictOf(failing('dns', 'NXDomain')))
    t.equal(board.observe(nodeOf(fresh)), undefined)
    t.ok(board.current(), 'the verdict still counts')
  }
})

t.test('fifty edits while a run is under way lead to one more', async t => {
  const clock = createFakeClock()
  const board = createVerdictBoard(settings, clock)
  board.observe(nodeOf(verified))
  const ends: PromiseWithResolvers<void>[] = []
  let counted = 0
  const duty = {
    name: 'verify',
    async reconcile() {
      const ticket = board.begin()
      const end = Promise.withResolvers<void>()
      ends.push(end)
      await end.promise
      if (board.finish(ticket, verdictOf())) counted += 1
      return undefined
    },
  }
  const loop = startLoop(duty, { log: createRecordingLogger(), clock, random: () => 0 })
  for (let edit = 0; edit < 50; edit++) {
    board.observe(nodeOf(verified))
    if (board.observe(nodeOf({ labels: {} })) !== undefined) loop.wake()
  }
  t.equal(ends.length, 1)
  ends[0]?.resolve()
  await settle()
  await clock.advance(0)
  t.equal(ends.length, 2)
  t.equal(counted, 0, 'the run that was under way does not count')
  ends[1]?.resolve()
  await settle()
  await clock.advance(0)
  t.equal(ends.length, 2)
  t.equal(counted, 1)
  await loop.stop()
})
