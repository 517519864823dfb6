import t from 'tap'
import type { RemedyInput } from '../../../../agent/remedy/input.ts'
import { planRemedy } from '../../../../agent/remedy/plan.ts'
import { inputOf, limitMs, minute, nameOf, nowMs, second, settings, sightOf, speaking, workerOf } from './samples.ts'

interface Case extends Partial<RemedyInput> {
  readonly name: string
  readonly want: readonly string[]
  readonly againMs?: number
  /** State of node n1. */
  readonly state?: string
}

const n1 = sightOf('n1')
const after = (silentMs: number) => sightOf('n1', { silentSinceMs: nowMs - silentMs })

const firstWorkers: readonly Case[] = [
  { name: 'no node at all', want: [] },
  { name: 'silent past the deadline: a worker', nodes: [n1], want: ['start n1 1/0'], state: 'unverified' },
  { name: 'at the deadline: a worker', nodes: [after(5 * minute)], want: ['start n1 1/0'] },
  { name: 'before the deadline: not yet', nodes: [after(4 * minute)], want: [], againMs: minute, state: 'unverified' },
  { name: 'its agent says it passes: not', nodes: [speaking('n1', 'passed')], want: [] },
  {
    name: 'its agent says it fails: not, that is a verdict',
    nodes: [speaking('n1', 'failed')],
    want: [],
    state: 'failed',
  },
  { name: 'its agent asks for a worker: at once', nodes: [speaking('n1', 'wanted')], want: ['start n1 1/0'] },
  { name: 'not tainted: not', nodes: [sightOf('n1', { tainted: false })], want: [], state: 'verified' },
  {
    name: 'not tainted, and the agent asks for one: not',
    nodes: [sightOf('n1', { tainted: false, agent: 'wanted' })],
    want: [],
  },
]

const ends: readonly Case[] = [
  {
    name: 'a worker that waits: nothing but time',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'waiting' })],
    want: [],
    againMs: minute,
    state: 'verifying',
  },
  {
    name: 'a worker that runs: nothing but time',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'running' })],
    want: [],
    againMs: limitMs - minute,
    state: 'verifying',
  },
  {
    name: 'verified: the node is opened',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'verified', endedAgoMs: 0 })],
    want: ['lift n1'],
  },
  {
    name: 'verified, by a clock that is an hour behind: opened all the same',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'verified', endedAgoMs: 60 * minute })],
    want: ['lift n1'],
  },
  {
    name: 'verified long ago: not opened, asked again',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'verified', createdMs: nowMs - 9 * minute, endedAgoMs: 8 * minute })],
    want: ['start n1 2/0'],
  },
  {
    name: 'verified, but its agent says it fails: not opened',
    nodes: [speaking('n1', 'failed')],
    workers: [workerOf('n1', { state: 'verified', endedAgoMs: 0 })],
    want: ['remove verify-n1-1'],
  },
  {
    name: 'verified, but being deleted: not opened',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'verified', endedAgoMs: 0, goneByMs: nowMs + second })],
    want: [],
  },
  {
    name: 'verified, of a node that was before this one: not opened',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'verified', endedAgoMs: 0, nodeUid: 'uid-before' })],
    want: ['remove verify-n1-1', 'start n1 1/0'],
  },
  {
    name: 'the node is open: its workers go',
    nodes: [sightOf('n1', { tainted: false })],
    workers: [workerOf('n1', { endedAgoMs: 0 }), workerOf('n1', { attempt: 2, state: 'running' })],
    want: ['remove verify-n1-1', 'remove verify-n1-2'],
  },
  {
    name: 'its agent speaks again: what workers found is forgotten',
    nodes: [speaking('n1', 'passed')],
    workers: [workerOf('n1', { failures: 5, endedAgoMs: 0 })],
    want: ['remove verify-n1-1'],
  },
  { name: 'the node is gone', workers: [workerOf('n9', { endedAgoMs: 0 })], want: ['remove verify-n9-1'] },
  {
    name: 'the node is gone, the worker is going: kubelet is at it',
    workers: [workerOf('n9', { state: 'running', goneByMs: nowMs + second })],
    want: [],
  },
  {
    name: 'the node is gone, the worker should be, too: there is no kubelet',
    workers: [workerOf('n9', { state: 'running', goneByMs: nowMs - minute })],
    want: ['force verify-n9-1'],
  },
]

const retries: readonly Case[] = [
  {
    name: 'failed just now: after a second',
    nodes: [n1],
    workers: [workerOf('n1', { endedAgoMs: 0 })],
    want: [],
    againMs: second,
    state: 'failed',
  },
  { name: 'a second later', nodes: [n1], workers: [workerOf('n1', { endedAgoMs: second })], want: ['start n1 2/1'] },
  ...[2, 4, 8, 16, 30].map((seconds, index) => ({
    name: `failed ${index + 2} times: after ${seconds} s`,
    nodes: [n1],
    workers: [workerOf('n1', { attempt: index + 2, failures: Math.min(index, 4), endedAgoMs: 0 })],
    want: [],
    againMs: seconds * second,
  })),
  {
    name: 'linear: 5 s',
    nodes: [n1],
    workers: [workerOf('n1', { attempt: 4, failures: 3, endedAgoMs: 0 })],
    settings: { ...settings, retryBackoff: 'linear' },
    want: [],
    againMs: 5 * second,
  },
  {
    name: 'ended in the future, by its clock: counted from now',
    nodes: [n1],
    workers: [workerOf('n1', { endedAgoMs: -60 * minute })],
    want: [],
    againMs: second,
  },
  {
    name: 'lost: tried again, and the node is not blamed',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'lost', attempt: 3, failures: 1, endedAgoMs: 10 * second })],
    want: ['start n1 4/1'],
    state: 'failed',
  },
  {
    name: 'lost and never failed: not failing',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'lost', attempt: 30, endedAgoMs: minute })],
    want: ['start n1 31/0'],
    state: 'unverified',
  },
  {
    name: 'kubelet does not start it: lost, and made way for',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'waiting', createdMs: nowMs - 3 * minute })],
    want: ['start n1 2/0'],
    state: 'unverified',
  },
  {
    name: 'kubelet does not end it: lost, not failed',
    nodes: [n1],
    workers: [workerOf('n1', { state: 'running', createdMs: nowMs - limitMs - minute })],
    want: ['start n1 2/0'],
    state: 'unverified',
  },
  {
    name: 'a later one is there: the abandoned one goes by force, the ended one in order',
    nodes: [n1],
    workers: [
      workerOf('n1', { endedAgoMs: minute }),
      workerOf('n1', { attempt: 3, state: 'waiting' }),
      workerOf('n1', { attempt: 2, state: 'waiting', createdMs: nowMs - 3 * minute }),
    ],
    want: ['force verify-n1-2', 'remove verify-n1-1'],
    againMs: minute,
  },
  {
    name: 'no retry is left: once more each deadline, for the network may come back',
    nodes: [n1],
    workers: [workerOf('n1', { attempt: 6, failures: 5, endedAgoMs: 4 * minute, createdMs: nowMs - 5 * minute })],
    settings: { ...settings, deleteFailedNodes: false },
    want: [],
    againMs: minute,
    state: 'failed',
  },
]

/** Nodes that keep failing, and new ones. */
const bad = ['b1', 'b2', 'b3'].map(name => sightOf(name))
const badWorkers = bad.map(({ node }) => workerOf(node.name, { attempt: 4, failures: 3, endedAgoMs: minute }))
const many = Array.from({ length: 1000 }, (_, at) => sightOf(`m${String(at).padStart(3, '0')}`))

const turns: readonly Case[] = [
  {
    name: 'of a thousand ten have a turn',
    nodes: many,
    want: many.slice(0, 10).map(({ node }) => `start ${node.name} 1/0`),
  },
  {
    name: 'workers that run keep theirs',
    nodes: many,
    workers: many.slice(0, 8).map(({ node }) => workerOf(node.name, { state: 'running' })),
    want: ['start m008 1/0', 'start m009 1/0'],
    againMs: limitMs - minute,
  },
  {
    name: 'none above the most, also where there are more',
    nodes: many,
    workers: many.slice(0, 20).map(({ node }) => workerOf(node.name, { state: 'running' })),
    want: [],
    againMs: limitMs - minute,
  },
  {
    name: 'those that are being deleted count until they are gone',
    nodes: many,
    workers: many.slice(0, 10).map(({ node }) => workerOf(node.name, { state: 'running', goneByMs: nowMs + second })),
    want: [],
    againMs: 31 * second,
  },
  {
    name: 'those of nodes that are gone, too',
    nodes: [n1],
    workers: [workerOf('n9', { state: 'running', goneByMs: nowMs + second })],
    settings: { ...settings, maxWorkers: 1 },
    want: [],
    againMs: 31 * second,
  },
  {
    name: 'abandoned ones take no turn',
    nodes: [sightOf('n1'), sightOf('n2')],
    workers: [workerOf('n1', { state: 'waiting', createdMs: nowMs - 3 * minute })],
    settings: { ...settings, maxWorkers: 1 },
    want: ['start n2 1/0'],
  },
  {
    name: 'a late node is not kept waiting by bad ones',
    nodes: [...bad, sightOf('late', { silentSinceMs: nowMs - 5 * minute })],
    workers: badWorkers,
    settings: { ...settings, maxWorkers: 1 },
    want: ['start late 1/0'],
  },
  {
    name: 'bad ones have theirs where there is room',
    nodes: [...bad, sightOf('late', { silentSinceMs: nowMs - 5 * minute })],
    workers: badWorkers,
    settings: { ...settings, maxWorkers: 3 },
    want: ['start late 1/0', 'start b1 5/4', 'start b2 5/4'],
  },
  {
    name: 'who waits longest is first',
    nodes: [sightOf('a', { silentSinceMs: nowMs - 6 * minute }), sightOf('z')],
    settings: { ...settings, maxWorkers: 1 },
    want: ['start z 1/0'],
  },
]

for (const { name, want, againMs, state, ...change } of [...firstWorkers, ...ends, ...retries, ...turns]) {
  t.test(name, async t => {
    const plan = planRemedy(inputOf(change))
    t.strictSame(plan.actions.map(nameOf), want)
    if (againMs !== undefined) t.equal(plan.againMs, againMs)
    if (state !== undefined) t.equal(plan.states.get('n1'), state)
  })
}

t.test('a new leader plans as the one before: the pods are all the memory there is', async t => {
  const workers = [workerOf('n1', { attempt: 4, failures: 3, endedAgoMs: 8 * second })]
  const known = { nodes: [n1], workers }
  t.strictSame(planRemedy(inputOf({ ...known, ledMs: 0 })).actions, planRemedy(inputOf(known)).actions)
  t.strictSame(planRemedy(inputOf(known)).actions.map(nameOf), ['start n1 5/4'])
})
