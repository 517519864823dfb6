import type { VerifySettings } from '../config/settings.ts'
import { retryAfterMs } from '../runtime/backoff.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Verdict } from '../verdict/verdict.ts'

/** What the duty needs. */
export interface VerifyDutyOptions {
  readonly settings: Pick<VerifySettings, 'intervalMs' | 'maxRetries' | 'retryBackoff'>
  /** Asks all checks once; undefined = what was asked about has changed meanwhile, and nobody shall hear of the answer. */
  run(signal: AbortSignal): Promise<Verdict | undefined>
  onVerdict(verdict: Verdict): void
  /** Told how many runs in a row have failed before a new one starts. */
  onRetry?(failures: number): void
}

/** Verifies at the start, after each failure with backoff and for ever, and every `interval` once all is well. */
export function createVerifyDuty(options: VerifyDutyOptions): Duty {
  let failures = 0
  return {
    name: 'verify',
    async reconcile(signal) {
      if (failures > 0) options.onRetry?.(failures)
      const verdict = await options.run(signal)
      if (verdict === undefined) return 0
      failures = verdict.passed ? 0 : failures + 1
      options.onVerdict(verdict)
      return failures === 0 ? options.settings.intervalMs : retryAfterMs(failures, options.settings)
    },
  }
}
