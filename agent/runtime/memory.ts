import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from './clock.ts'

/**
 * Runs what is loaded from now on without a compiler. The agent waits nearly all of its life: machine code made for its
 * few busy moments costs 3 MB and saves nothing. A role that has work to do must not call this.
 */
export function interpretOnly(): void {
  for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug']) setFlagsFromString(flag)
}

/** Gives memory back. */
export interface MemoryKeeper {
  /** A busy moment is over: what it left is given back soon. */
  rest(): void
  stop(): void
}

/** Busy moments may follow close upon each other; each collection costs some 30 ms. */
const restMs = 1_000
const leastMs = 25_000
/** Where nothing is ever busy. */
const mostMs = 2 * 60_000

/**
 * After a busy moment V8 keeps room for more of the same, a tenth of the process, and gives it back only under pressure.
 * An agent that verifies every half minute would keep it for ever.
 */
export function keepMemorySmall(clock: Clock, collect = findCollector()): MemoryKeeper {
  let lastMs = Number.NEGATIVE_INFINITY
  let dueMs = Number.POSITIVE_INFINITY
  let cancel: () => void = () => undefined
  const schedule = (delayMs: number) => {
    cancel()
    dueMs = clock.monotonic() + delayMs
    cancel = clock.after(delayMs, run)
  }
  const run = () => {
    collect()
    lastMs = clock.monotonic()
    schedule(mostMs)
  }
  schedule(mostMs)
  return {
    rest() {
      const delayMs = Math.max(restMs, lastMs + leastMs - clock.monotonic())
      if (clock.monotonic() + delayMs < dueMs) schedule(delayMs)
    },
    stop: () => cancel(),
  }
}

function findCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') return () => undefined
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
