import t from 'tap'
import type { RemedySettings } from '../../../../agent/config/settings.ts'
import type { RemedyInput } from '../../../../agent/remedy/input.ts'
import { planRemedy } from '../../../../agent/remedy/plan.ts'
import type { Worker } from '../../../../agent/remedy/worker.ts'
import { inputOf, minute, nameOf, nowMs, second, settings, sightOf, speaking, workerOf } from './samples.ts'

/** The last of six workers has found node n1 failing, ten seconds ago. */
const lastOf = (node: string, change: Partial<Worker> = {}) =>
  workerOf(node, { attempt: 6, failures: 5, endedAgoMs: 10 * second, ...change })
const well = Array.from({ length: 9 }, (_, at) => sightOf(`w${at}`, { tainted: false, agent: 'passed' }))
const due = { nodes: [sightOf('n1'), ...well], workers: [lastOf('n1')] }

interface Case extends Partial<Omit<RemedyInput, 'settings'>> {
  readonly name: string
  readonly settings?: Partial<RemedySettings>
  readonly want: string | undefined
  readonly held?: string
  readonly againMs?: number
}

const two = { nodes: [sightOf('n1'), sightOf('n2'), ...well], workers: [lastOf('n1'), lastOf('n2')] }
const three = { nodes: [...two.nodes, sightOf('n3')], workers: [...two.workers, lastOf('n3')] }

const cases: readonly Case[] = [
  { name: 'no retry is left: deleted', want: 'delete n1' },
  {
    name: 'switched off, as it is unless told: not',
    settings: { deleteFailedNodes: false },
    want: undefined,
    held: 'SwitchedOff',
  },
  { name: 'a retry is left: not', workers: [lastOf('n1', { attempt: 5, failures: 4 })], want: undefined },
  { name: 'the last was lost: not', workers: [lastOf('n1', { state: 'lost' })], want: undefined },
  {
    name: 'the last was lost after more than enough failures: not',
    workers: [lastOf('n1', { state: 'lost', failures: 9 })],
    want: undefined,
  },
  { name: 'the last has verified it: not', workers: [lastOf('n1', { state: 'verified' })], want: undefined },
  {
    name: 'one more is under way: not',
    workers: [lastOf('n1', { state: 'running', endedMs: undefined, failures: 6 })],
    want: undefined,
  },
  { name: 'the last is being deleted: not', workers: [lastOf('n1', { goneByMs: nowMs })], want: undefined },
  {
    name: 'a hundred lost ones: not, they are ours',
    workers: [lastOf('n1', { attempt: 100, failures: 0, state: 'lost' })],
    want: undefined,
  },
  { name: 'not tainted: not', nodes: [sightOf('n1', { tainted: false }), ...well], want: undefined },
  { name: 'its agent says it passes: not', nodes: [speaking('n1', 'passed'), ...well], want: undefined },
  {
    name: 'its agent says it fails: not, it has an agent',
    nodes: [speaking('n1', 'failed'), ...well],
    want: undefined,
  },
  { name: 'another node of that name: not', workers: [lastOf('n1', { nodeUid: 'uid-before' })], want: undefined },
  {
    name: 'what was found is old: not, it is asked again',
    workers: [lastOf('n1', { createdMs: nowMs - 20 * minute, endedMs: nowMs - 19 * minute })],
    want: undefined,
  },
  { name: 'a new leader: not', ledMs: 9 * minute, want: undefined, held: 'NewLeader', againMs: minute },
  {
    name: 'one was deleted a while ago: not',
    deletedAgoMs: [9 * minute],
    want: undefined,
    held: 'Budget',
    againMs: minute,
  },
  { name: 'one was deleted long ago', deletedAgoMs: [11 * minute], want: 'delete n1' },
  { name: 'two may be', deletedAgoMs: [9 * minute], settings: { maxDeletes: 2 }, want: 'delete n1' },
  {
    name: 'two may be, and were: not',
    deletedAgoMs: [9 * minute, second],
    settings: { maxDeletes: 2 },
    want: undefined,
    held: 'Budget',
    againMs: minute,
  },
  { name: 'its deletion has begun: not once more', spared: new Set(['uid-n1']), want: undefined },
  { name: 'the other one while the first is spared', ...two, spared: new Set(['uid-n1']), want: 'delete n2' },
  { name: 'two of eleven fail: one at a time', ...two, want: 'delete n1' },
  { name: 'three of twelve fail: none, it is not the nodes', ...three, want: undefined, held: 'TooManyFailed' },
  { name: 'three of twelve, and three may', ...three, settings: { maxFailed: { nodes: 3 } }, want: 'delete n1' },
  {
    name: 'those whose agents say so count, too',
    nodes: [sightOf('n1'), speaking('a', 'failed'), speaking('b', 'failed'), ...well],
    want: undefined,
    held: 'TooManyFailed',
  },
  {
    name: 'those that are tried again count, too',
    ...three,
    workers: [
      lastOf('n1'),
      lastOf('n2', { state: 'running', endedMs: undefined }),
      lastOf('n3', { state: 'waiting', endedMs: undefined }),
    ],
    want: undefined,
    held: 'TooManyFailed',
  },
  { name: 'one of two: one always may', nodes: [sightOf('n1'), sightOf('w', { tainted: false })], want: 'delete n1' },
  { name: 'the only node', nodes: [sightOf('n1')], want: 'delete n1' },
  {
    name: 'all of a small cluster: none',
    nodes: [sightOf('n1'), sightOf('n2')],
    workers: two.workers,
    want: undefined,
    held: 'TooManyFailed',
  },
  {
    name: 'silent longest is first',
    ...two,
    nodes: [sightOf('n1'), sightOf('n2', { silentSinceMs: nowMs - 90 * minute }), ...well],
    want: 'delete n2',
  },
]

for (const { name, want, held, againMs, ...change } of cases) {
  t.test(name, async t => {
    const plan = planRemedy(inputOf({ ...due, ...change, settings: { ...settings, ...change.settings } }))
    t.strictSame(plan.actions.filter(({ kind }) => kind === 'delete').map(nameOf), want === undefined ? [] : [want])
    t.equal(plan.held?.why, held)
    if (againMs !== undefined) t.equal(plan.againMs, againMs, 'nobody else wakes the leader for it')
  })
}

t.test('who holds says of how many', async t => {
  const { held } = planRemedy(inputOf(three))
  t.strictSame([held?.failing, held?.total, held?.nodes.length], [3, 12, 3])
})
