import t from 'tap'
import { hasRoom, type NodeCount } from '../../../../agent/gate/budget.ts'
import { type CloseInput, planClosing, refuse } from '../../../../agent/gate/close.ts'
import { noHistory } from '../../../../agent/gate/history.ts'
import { mostOf } from '../../../../agent/runtime/share.ts'
import { failing, nodeOf, nowMs, ownLabel, ownTaint, settings, verdictOf } from './samples.ts'

const bad = verdictOf(failing('dns', 'NXDomain'))
const room: NodeCount = { total: 10, othersTainted: 1 }

/** A node that is to be tainted; each row below takes one reason away. */
const due: CloseInput = {
  node: nodeOf({ labels: ownLabel }),
  verdict: { uid: 'u1', verdict: bad, streak: { runs: 3, spanMs: 3_000, ageMs: 0 } },
  settings: { ...settings, mode: 'continuous' },
  history: noHistory,
  count: room,
  nowMs,
}

interface Case {
  readonly name: string
  readonly change: Partial<CloseInput>
  readonly want: string
}

const refusal = { atMs: nowMs - 10_000, waitMs: 30_000 }

const cases: readonly Case[] = [
  { name: 'all reasons are there', change: {}, want: 'taint' },
  { name: 'bootstrap', change: { settings }, want: 'the mode is bootstrap' },
  { name: 'another node', change: { node: nodeOf({ uid: 'u2' }) }, want: 'the verdict is about another node' },
  { name: 'it passes', change: { verdict: { ...due.verdict, verdict: verdictOf() } }, want: 'the node passes' },
  { name: 'tainted by us', change: { node: nodeOf({ taints: [ownTaint] }) }, want: 'the node is tainted' },
  {
    name: 'tainted by others',
    change: { node: nodeOf({ taints: [{ ...ownTaint, effect: 'NoExecute' }] }) },
    want: 'taint',
  },
  {
    name: 'two failing runs',
    change: { verdict: { ...due.verdict, streak: { runs: 2, spanMs: 3_000, ageMs: 0 } } },
    want: 'too few runs have failed',
  },
  {
    name: 'bad is 1',
    change: {
      settings: { ...due.settings, bad: 1 },
      verdict: { ...due.verdict, streak: { runs: 1, spanMs: 0, ageMs: 0 } },
    },
    want: 'taint',
  },
  {
    name: 'a verdict from before the API was there again',
    change: { verdict: { ...due.verdict, streak: { runs: 30, spanMs: 600_000, ageMs: 5_001 } } },
    want: 'the verdict is too old',
  },
  {
    name: 'somebody took it off a moment ago',
    change: { history: { ...noHistory, taintedMs: nowMs - 9_999 } },
    want: 'the taint was taken off just now',
  },
  { name: 'and some time ago', change: { history: { ...noHistory, taintedMs: nowMs - 10_000 } }, want: 'taint' },
  { name: 'the clock went back', change: { history: { ...noHistory, taintedMs: nowMs + 60_000 } }, want: 'taint' },
  { name: 'no room a moment ago', change: { history: { ...noHistory, refusal } }, want: 'there was no room just now' },
  {
    name: 'no room some time ago',
    change: { count: undefined, history: { ...noHistory, refusal: { ...refusal, atMs: nowMs - 30_000 } } },
    want: 'count',
  },
  { name: 'nobody has counted', change: { count: undefined }, want: 'count' },
  {
    name: 'no room',
    change: { count: { total: 10, othersTainted: 2 } },
    want: 'as many nodes are tainted as may be',
  },
]

for (const row of cases) {
  t.test(row.name, async t => {
    const closing = planClosing({ ...due, ...row.change })
    t.equal(closing.kind === 'leave' ? closing.why : closing.kind, row.want)
  })
}

const limits = [
  { name: 'a share, rounded down', total: 10, maxUnavailable: { share: 0.25 }, want: 2 },
  { name: 'a share that comes out even', total: 100, maxUnavailable: { share: 0.07 }, want: 7 },
  { name: 'a share of 29 % of 100', total: 100, maxUnavailable: { share: 0.29 }, want: 29 },
  { name: 'one node always may', total: 3, maxUnavailable: { share: 0.2 }, want: 1 },
  { name: 'a count', total: 100, maxUnavailable: { nodes: 3 }, want: 3 },
  { name: 'a count above all nodes', total: 2, maxUnavailable: { nodes: 3 }, want: 3 },
  { name: 'none at all: one always may', total: 100, maxUnavailable: { nodes: 0 }, want: 1 },
  { name: 'everything', total: 4, maxUnavailable: { share: 1 }, want: 4 },
  { name: 'an empty list', total: 0, maxUnavailable: { share: 0.2 }, want: 1 },
]

t.test('max-unavailable', async t => {
  for (const { name, total, maxUnavailable, want } of limits) {
    t.equal(mostOf(total, maxUnavailable), want, name)
    t.ok(hasRoom({ total, othersTainted: want - 1 }, { maxUnavailable }), name)
    t.notOk(hasRoom({ total, othersTainted: want }, { maxUnavailable }), name)
  }
})

t.test('who finds no room asks less and less often', async t => {
  let refusal = refuse(undefined, 0)
  const waits = [refusal.waitMs]
  for (let turn = 0; turn < 6; turn++) {
    refusal = refuse(refusal, 0)
    waits.push(refusal.waitMs)
  }
  t.same(waits, [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
})
