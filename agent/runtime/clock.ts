/** Time as the agent sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970, for what others read: conditions, events, logs. */
  now(): number
  /** Milliseconds that never jump, for measuring. */
  monotonic(): number
  /** Runs `run` once after the delay, unless the returned function was called before. */
  after(delayMs: number, run: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Waits; ends early, without an error, when the signal fires. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const finish = () => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(delayMs, finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}

/** Resolves when the signal fires. */
export function firing(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
