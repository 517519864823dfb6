import t from 'tap'
import { retryAfterMs } from '../../../../agent/runtime/backoff.ts'

interface BackoffCase {
  readonly name: string
  readonly retryBackoff: 'exponential' | 'linear'
  readonly maxRetries: number
  /** Seconds after the first failure, the second, and so on. */
  readonly want: readonly number[]
}

const cases: readonly BackoffCase[] = [
  { name: 'exponential', retryBackoff: 'exponential', maxRetries: 10, want: [1, 2, 4, 8, 16, 30, 30, 30] },
  { name: 'exponential, past the retries', retryBackoff: 'exponential', maxRetries: 2, want: [1, 2, 30, 30] },
  { name: 'exponential, no retries', retryBackoff: 'exponential', maxRetries: 0, want: [30, 30] },
  { name: 'linear', retryBackoff: 'linear', maxRetries: 2, want: [5, 5, 5, 5] },
]

for (const { name, want, ...settings } of cases) {
  t.test(`backoff: ${name}`, async t => {
    t.strictSame(
      want.map((_, index) => retryAfterMs(index + 1, settings) / 1000),
      want,
    )
  })
}

t.test('backoff: after a year of failures it still is the longest', async t => {
  t.equal(retryAfterMs(1_000_000, { retryBackoff: 'exponential', maxRetries: 2_000_000 }), 30_000)
})
