import type { Metrics } from '../runtime/metrics.ts'
import type { PoolLook } from './sync.ts'

/** The pool's series. */
export interface PoolMetrics {
  show(look: PoolLook): void
  countWrite(outcome: 'written' | 'refused' | 'failed'): void
  countQuestion(code: string): void
  showRemaining(remaining: number): void
}

export function createPoolMetrics(metrics: Metrics, pool: string): PoolMetrics {
  const help = 'Addresses of the pool: asked for by the servers, there, kept by a Service, or kept by any guard.'
  const blocks = metrics.gauge('nopal_pool_blocks', help, ['pool', 'state'])
  const writes = metrics.counter('nopal_pool_writes_total', 'Writes of the pool.', ['pool', 'outcome'])
  const questions = metrics.counter('nopal_hcloud_requests_total', 'Requests to Hetzner Cloud.', ['code'])
  const left = metrics.gauge(
    'nopal_hcloud_ratelimit_remaining',
    'Requests that Hetzner Cloud has left for the project.',
  )
  return {
    show({ live, plan }) {
      const held = plan?.held ?? []
      const counts = {
        desired: plan?.desired.length ?? 0,
        actual: live?.blocks.length ?? 0,
        draining: held.filter(({ reason }) => reason === 'InUse').length,
        held: held.length,
      }
      for (const [state, count] of Object.entries(counts)) blocks.set({ pool, state }, count)
    },
    countWrite: outcome => writes.inc({ pool, outcome }),
    countQuestion: code => questions.inc({ code }),
    showRemaining: remaining => left.set(remaining),
  }
}
