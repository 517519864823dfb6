import { type BackoffLimits, backoffMs } from '../runtime/backoff.ts'
import { type Clock, pause } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'

/** What the duty needs. */
export interface SandboxRetryOptions {
  /** Whether a node stays shut because no sandbox could be attached. */
  wanted(): boolean
  /**
   * Attaches a sandbox, and takes it away again.
   * @param limitMs of one run of one plugin
   * @returns whether that went well; never throws
   */
  attach(limitMs: number, signal: AbortSignal): Promise<boolean>
  /** The network attaches again. */
  onAttached(): void
  readonly clock: Clock
}

/** A node shall be open two seconds after its network attaches again, and a verification takes the better half of that. */
const betweenMs = 700
/** A try that takes longer hangs, or is a slow network's: one such is waited for, beside others that are cut. */
const quickMs = 700
const slowMs = 10_000
/** Where the sandbox is refused again each time, the verifications that this asks for grow apart. */
const afterSuccess: BackoffLimits = { leastMs: 1_000, mostMs: 30_000 }

/**
 * Tries the sandbox alone, often, while it is all that keeps a node shut: an attempt costs some processes on the node and
 * no request of the API, unlike a verification. Run it when a verdict has come or the node has changed.
 */
export function createSandboxRetry(options: SandboxRetryOptions): Duty {
  const { wanted, attach, onAttached, clock } = options
  let slow: Promise<void> | undefined
  let successes = 0
  let notBeforeMs = 0
  const succeed = () => {
    successes += 1
    notBeforeMs = clock.monotonic() + backoffMs(successes, afterSuccess, () => 1)
    onAttached()
  }
  const tryOnce = async (signal: AbortSignal): Promise<boolean> => {
    const attempt = attach(slow === undefined ? slowMs : quickMs, signal)
    const ended = await Promise.race([attempt, pause(clock, quickMs, signal)])
    if (ended !== undefined || slow !== undefined) return attempt
    slow = attempt.then(well => {
      slow = undefined
      if (well && !signal.aborted) succeed()
    })
    return false
  }
  return {
    name: 'sandbox',
    async reconcile(signal) {
      if (!wanted()) {
        successes = 0
        notBeforeMs = 0
        return undefined
      }
      const waitMs = notBeforeMs - clock.monotonic()
      if (waitMs > 0) return waitMs
      const startedMs = clock.monotonic()
      if (await tryOnce(signal)) {
        if (!signal.aborted) succeed()
        return undefined
      }
      return Math.max(0, betweenMs - (clock.monotonic() - startedMs))
    },
    close: async () => slow,
  }
}
