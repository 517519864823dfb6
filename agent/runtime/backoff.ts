/** How long to wait after failures. */
export interface BackoffLimits {
  readonly leastMs: number
  readonly mostMs: number
}

/**
 * Milliseconds to wait after so many failures in a row: doubling, never above the most, spread over the upper half so
 * that the agents of a whole cluster do not come back as one.
 */
export function backoffMs(failures: number, limits: BackoffLimits, random: () => number): number {
  const full = Math.min(limits.leastMs * 2 ** Math.min(failures - 1, 30), limits.mostMs)
  return Math.round(full / 2 + (full / 2) * random())
}

/** What the server asked to wait, where the error carries it, but never longer than the most. */
export function askedWaitMs(error: unknown, mostMs: number): number {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return 0
  const { retryAfterMs } = error
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? Math.min(retryAfterMs, mostMs) : 0
}

/** How a thing that has failed is tried again, as kube-node-ready has it. */
export interface RetrySettings {
  readonly maxRetries: number
  readonly retryBackoff: 'exponential' | 'linear'
}

const longestRetryMs = 30_000
const linearRetryMs = 5_000

/** Milliseconds until the next try after so many failures in a row. Past the retries it is the longest one, for ever. */
export function retryAfterMs(failures: number, settings: RetrySettings): number {
  if (settings.retryBackoff === 'linear') return linearRetryMs
  if (failures > settings.maxRetries) return longestRetryMs
  return Math.min(1000 * 2 ** (failures - 1), longestRetryMs)
}
