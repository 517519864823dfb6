import * as v from 'valibot'

/** Every phase that a pod can be in, spelled as in metrics. */
const podPhases = ['pending', 'running', 'succeeded', 'failed', 'unknown'] as const

export type PodPhase = (typeof podPhases)[number]

/** How many worker pods are in each phase. */
export type WorkerCounts = Readonly<Record<PodPhase, number>>

const shape = v.object({
  metadata: v.object({ labels: v.record(v.string(), v.unknown()) }),
  status: v.nullish(v.object({ phase: v.nullish(v.string()) })),
})

const owners: ReadonlySet<unknown> = new Set(['nopal', 'kube-node-ready'])

/** Phase of a pod that was made to verify a node, ours or kube-node-ready's; undefined = it is another pod, or none. */
export function workerPhase(body: unknown): PodPhase | undefined {
  const result = v.safeParse(shape, body)
  if (!result.success) return undefined
  const { metadata, status } = result.output
  if (!isWorker(metadata.labels)) return undefined
  const said = status?.phase?.toLowerCase()
  return podPhases.find(phase => phase === said) ?? 'unknown'
}

/** By the usual labels, or by the plain ones that kube-node-ready gives its Jobs. Many programs have workers: both must fit. */
function isWorker(labels: Readonly<Record<string, unknown>>): boolean {
  const usual = labels['app.kubernetes.io/component'] === 'worker' && owners.has(labels['app.kubernetes.io/name'])
  return usual || (labels.component === 'worker' && labels.app === 'kube-node-ready')
}

export const noWorkers: WorkerCounts = { pending: 0, running: 0, succeeded: 0, failed: 0, unknown: 0 }

/** The counts after one pod came, changed or went; undefined = it is no worker, or not there. */
export function moveWorker(
  counts: WorkerCounts,
  before: PodPhase | undefined,
  after: PodPhase | undefined,
): WorkerCounts {
  if (before === after) return counts
  const moved = { ...counts }
  if (before !== undefined) moved[before] -= 1
  if (after !== undefined) moved[after] += 1
  return moved
}
