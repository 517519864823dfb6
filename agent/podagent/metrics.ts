import type { Metrics } from '../runtime/metrics.ts'
import type { Step } from './plan.ts'

/** How many networks running pods have, and lack. */
export interface AttachmentCounts {
  readonly attached: number
  readonly missing: number
}

export interface PodagentMetrics {
  readonly setAttachments: (counts: AttachmentCounts) => void
  recordStep(action: Step['action'], seconds: number, isDone: boolean): void
}

export function createPodagentMetrics(metrics: Metrics): PodagentMetrics {
  const attachments = metrics.gauge(
    'nopal_attachments',
    'Networks of pods on this node beside their default one: attached, and missing though they are asked for.',
    ['state'],
  )
  const durations = metrics.histogram(
    'nopal_attach_duration_seconds',
    'Time of one call to attach a network to a running pod, or to detach one.',
    ['action'],
    [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100],
  )
  const failures = metrics.counter('nopal_attach_failures_total', 'Those calls that failed.', ['action'])
  return {
    setAttachments(counts) {
      for (const [state, count] of Object.entries(counts)) attachments.set({ state }, count)
    },
    recordStep(action, seconds, isDone) {
      durations.observe({ action }, seconds)
      if (!isDone) failures.inc({ action })
    },
  }
}

/** Counts lost sandboxes by how giving back what they held has ended. */
export function createSweepMetrics(metrics: Metrics): (outcome: 'removed' | 'failed') => void {
  const leftovers = metrics.counter(
    'nopal_leftovers_total',
    'Sandboxes that the runtime has lost, by whether what they held could be given back.',
    ['outcome'],
  )
  return outcome => leftovers.inc({ outcome })
}
