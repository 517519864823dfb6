import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** Shows when each duty last did all that it had to. */
export function createLastSuccess(metrics: Metrics, clock: Clock): (duty: string) => void {
  const name = 'nopal_last_success_timestamp_seconds'
  const gauge = metrics.gauge(name, 'When a duty of the leader last ended well.', ['duty'])
  return duty => gauge.set({ duty }, clock.now() / 1000)
}
