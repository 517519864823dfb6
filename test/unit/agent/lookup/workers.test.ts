import t from 'tap'
import { moveWorker, noWorkers, workerPhase } from '../../../../agent/lookup/workers.ts'

const ours = { 'app.kubernetes.io/name': 'nopal', 'app.kubernetes.io/component': 'worker' }
const theirs = { 'app.kubernetes.io/name': 'kube-node-ready', 'app.kubernetes.io/component': 'worker' }
const theirJobs = { app: 'kube-node-ready', component: 'worker', node: 'n1' }

interface WorkerCase {
  readonly name: string
  readonly body: unknown
  readonly want: string | undefined
}

const pod = (labels: unknown, phase?: unknown) => ({ metadata: { labels }, status: { phase } })

const cases: readonly WorkerCase[] = [
  { name: 'ours', body: pod(ours, 'Running'), want: 'running' },
  { name: "kube-node-ready's", body: pod(theirs, 'Succeeded'), want: 'succeeded' },
  { name: "a pod of one of kube-node-ready's Jobs", body: pod(theirJobs, 'Failed'), want: 'failed' },
  { name: 'one that is to start', body: pod(ours, 'Pending'), want: 'pending' },
  { name: 'no status yet', body: { metadata: { labels: ours } }, want: 'unknown' },
  { name: 'a phase nobody has heard of', body: pod(ours, 'Dreaming'), want: 'unknown' },
  {
    name: "another program's worker",
    body: pod({ ...ours, 'app.kubernetes.io/name': 'queue' }, 'Running'),
    want: undefined,
  },
  { name: "another program's worker, in the plain way", body: pod({ ...theirJobs, app: 'queue' }), want: undefined },
  { name: 'the agent', body: pod({ 'app.kubernetes.io/name': 'nopal' }, 'Running'), want: undefined },
  { name: 'no labels', body: { metadata: {} }, want: undefined },
  { name: 'labels that are a list', body: pod([]), want: undefined },
  { name: 'a phase that is a number', body: pod(ours, 5), want: undefined },
  { name: 'null', body: null, want: undefined },
  { name: 'a text', body: 'pod', want: undefined },
]

for (const { name, body, want } of cases) {
  t.test(`worker pod: ${name}`, t => {
    t.equal(workerPhase(body), want)
    t.end()
  })
}

t.test('workers are counted by phase as they come, change and go; other pods are not', t => {
  const steps = [
    [undefined, 'running'],
    [undefined, undefined],
    [undefined, 'failed'],
    ['running', 'succeeded'],
  ] as const
  const counts = steps.reduce((sum, [before, after]) => moveWorker(sum, before, after), noWorkers)
  t.strictSame(counts, { ...noWorkers, succeeded: 1, failed: 1 })
  t.strictSame(moveWorker(counts, 'failed', undefined), { ...noWorkers, succeeded: 1 })
  t.equal(moveWorker(counts, 'failed', 'failed'), counts)
  t.end()
})
