import type { Clock } from '../../../../agent/runtime/clock.ts'

/** Time that moves only when told. */
export interface FakeClock extends Clock {
  /** Moves on and runs what is due, one after the other; lets promises settle after each. */
  advance(ms: number): Promise<void>
  /** Milliseconds until the next timer; undefined = none is set. */
  nextMs(): number | undefined
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

export function createFakeClock(startMs = 0): FakeClock {
  let now = startMs
  const timers = new Set<Timer>()
  const first = () => [...timers].sort((a, b) => a.at - b.at)[0]
  return {
    now: () => now,
    monotonic: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      const end = now + ms
      for (let timer = first(); timer !== undefined && timer.at <= end; timer = first()) {
        timers.delete(timer)
        now = timer.at
        timer.run()
        await settle()
      }
      now = end
    },
    nextMs: () => {
      const timer = first()
      return timer && timer.at - now
    },
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
