import type { BackoffLimits } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Duty } from './duty.ts'
import type { Logger } from './log.ts'
import { startQueue } from './queue.ts'

/** What every loop of the agent shares. */
export interface LoopOptions {
  readonly log: Logger
  readonly clock: Clock
  /** 0 to 1; spreads waits. */
  readonly random: () => number
  readonly backoff?: BackoffLimits
  /** Told of each failed run, and of the first good one after it. */
  readonly onTurn?: (duty: string, works: boolean) => void
}

/** A duty at work. */
export interface Loop {
  /** Runs the duty now, or once more if it is running. After a failure it cuts the wait down to the shortest one. */
  wake(): void
  /** Aborts a run in progress and resolves once it has ended and the duty is closed. */
  stop(): Promise<void>
}

/** The longest wait is also how late a node can be after the last thing that was wrong with it. */
const defaultBackoff: BackoffLimits = { leastMs: 500, mostMs: 30_000 }

/** A duty, or how it is made where it must be able to wake itself. */
export type DutySource = Duty | ((wake: () => void) => Duty)

/** Starts the duty's first run at once and keeps it going until it is stopped: a queue of one key. */
export function startLoop(source: DutySource, options: LoopOptions): Loop {
  const queue = startQueue({
    backoff: defaultBackoff,
    ...options,
    width: 1,
    work: (_, signal) => duty.reconcile(signal),
    fields: name => ({ duty: name }),
  })
  const wake = () => queue.add(duty.name)
  const duty = typeof source === 'function' ? source(wake) : source
  wake()
  return {
    wake,
    async stop() {
      await queue.stop()
      await duty.close?.()
    },
  }
}
