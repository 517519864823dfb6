import type { Metrics } from '../runtime/metrics.ts'
import type { LookupOutcome } from './answers.ts'
import type { WorkerCounts } from './workers.ts'

/** Counts questions of kactus: it was answered, told that we do not know, was not understood, or hung up on. */
export function createLookupMetrics(metrics: Metrics): (outcome: LookupOutcome | 'refused') => void {
  const lookups = metrics.counter(
    'nopal_lookups_total',
    'Questions of kactus by how they ended: known and unknown were answered, bad and refused were none to answer.',
    ['outcome'],
  )
  return outcome => lookups.inc({ outcome })
}

/** Shows how many pods on this node were made to verify it, by phase. */
export function createWorkerMetrics(metrics: Metrics): (counts: WorkerCounts) => void {
  const workers = metrics.gauge(
    'kube_node_ready_worker_pods',
    'Pods on this node that were made to verify it, by phase; none of these series while its pods are not watched.',
    ['status'],
  )
  return counts => {
    for (const [status, count] of Object.entries(counts)) workers.set({ status }, count)
  }
}
