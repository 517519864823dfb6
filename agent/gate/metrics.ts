import type { Metrics } from '../runtime/metrics.ts'
import type { MarksWrite } from './duty.ts'

/** Counts what the gate writes to its node. */
export function createGateMetrics(metrics: Metrics, node: string): (write: MarksWrite) => void {
  const series = registerSeries(metrics)
  return ({ taint, ok, seconds }) => {
    if (taint === 'keep') return
    if (ok) series.taintWrites.inc({ action: taint })
    series.seconds.observe({ node, operation: taint === 'lift' ? 'taint_removal' : 'taint_add' }, seconds)
    if (taint !== 'lift') return
    // One patch takes the taint off and sets the label.
    const status = ok ? 'success' : 'failure'
    series.taintRemovals.inc({ node, status })
    series.labelAdds.inc({ node, status })
  }
}

/** Our own series, and those that kube-node-ready has. */
function registerSeries(metrics: Metrics) {
  const seed = 'kube_node_ready_node_'
  return {
    taintWrites: metrics.counter('nopal_gate_taint_writes_total', 'Writes of our own taint that the API accepted.', [
      'action',
    ]),
    taintRemovals: metrics.counter(`${seed}taint_removal_total`, 'Removals of the taint.', ['node', 'status']),
    labelAdds: metrics.counter(`${seed}label_add_total`, 'Settings of the label.', ['node', 'status']),
    seconds: metrics.histogram(`${seed}update_duration_seconds`, 'Time of a write to the Node.', ['node', 'operation']),
  }
}
