import type { Metrics } from './metrics.ts'

/** Counts how the duties of this process fare, under kube-node-ready's names. */
export function createDutyMetrics(metrics: Metrics): (duty: string, works: boolean) => void {
  const failing = new Set<string>()
  const healthy = metrics.gauge(
    'kube_node_ready_controller_healthy',
    '1 while no part of the agent is failing, else 0.',
  )
  const errors = metrics.counter(
    'kube_node_ready_controller_reconcile_errors_total',
    'Failed runs of the parts of the agent.',
  )
  healthy.set(1)
  return (duty, works) => {
    if (works) failing.delete(duty)
    else {
      failing.add(duty)
      errors.inc()
    }
    healthy.set(failing.size === 0 ? 1 : 0)
  }
}
