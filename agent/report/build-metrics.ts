import type { Metrics } from '../runtime/metrics.ts'

/** Says what runs, under our own name and under kube-node-ready's. */
export function recordBuild(metrics: Metrics, version: string): void {
  const help = 'Always 1; the labels say what runs.'
  metrics.gauge('nopal_build_info', help, ['version']).set({ version }, 1)
  const labelNames = ['version', 'commit_hash', 'build_date'] as const
  metrics.gauge('kube_node_ready_build_info', help, labelNames).set({ version, commit_hash: '', build_date: '' }, 1)
}
