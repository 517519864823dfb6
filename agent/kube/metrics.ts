import type { Metrics } from '../runtime/metrics.ts'
import type { KubeAnswer } from './client.ts'

/** Counts requests to the Kubernetes API. */
export function createKubeMetrics(metrics: Metrics): (answer: KubeAnswer) => void {
  const requests = metrics.counter(
    'nopal_kube_requests_total',
    'Requests to the Kubernetes API by HTTP status, or by the way they failed.',
    ['verb', 'code'],
  )
  return ({ method: verb, code }) => requests.inc({ verb, code })
}
