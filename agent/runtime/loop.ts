import { askedWaitMs, type BackoffLimits, backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Duty } from './duty.ts'
import type { Logger } from './log.ts'

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

/** Starts the duty's first run at once and keeps it going until it is stopped. One run at a time. */
export function startLoop(source: DutySource, options: LoopOptions): Loop {
  const loop = new DutyLoop(source, options)
  loop.begin()
  return loop
}

class DutyLoop implements Loop {
  readonly #duty: Duty
  readonly #options: LoopOptions
  readonly #backoff: BackoffLimits
  readonly #controller = new AbortController()
  #failures = 0
  /** After a failure: however often it is woken, it does not run before this. */
  #notBeforeMs = 0
  #wokenWhileRunning = false
  #running: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined

  constructor(source: DutySource, options: LoopOptions) {
    this.#duty = typeof source === 'function' ? source(() => this.wake()) : source
    this.#options = options
    this.#backoff = options.backoff ?? defaultBackoff
  }

  begin(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#wokenWhileRunning = false
    this.#running = this.#run()
  }

  wake(): void {
    if (this.#controller.signal.aborted) return
    if (this.#running !== undefined) this.#wokenWhileRunning = true
    else if (this.#failures === 0) this.begin()
    else this.#schedule(Math.max(0, this.#notBeforeMs - this.#options.clock.monotonic()))
  }

  async stop(): Promise<void> {
    this.#controller.abort(new Error('the agent ends'))
    this.#cancelTimer?.()
    await this.#running
    await this.#duty.close?.()
  }

  async #run(): Promise<void> {
    const delayMs = await this.#reconcile()
    this.#running = undefined
    if (delayMs !== undefined && !this.#controller.signal.aborted) this.#schedule(delayMs)
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.begin())
  }

  /** One run of the duty; says when the next one is due. Never throws. */
  async #reconcile(): Promise<number | undefined> {
    const { signal } = this.#controller
    try {
      const delayMs = await this.#duty.reconcile(signal)
      if (this.#failures > 0) this.#noteRecovery()
      return this.#wokenWhileRunning ? 0 : delayMs
    } catch (error) {
      return signal.aborted ? undefined : this.#noteFailure(error)
    }
  }

  #noteRecovery(): void {
    const { log, onTurn } = this.#options
    log.info({ duty: this.#duty.name, failures: this.#failures }, 'works again')
    onTurn?.(this.#duty.name, true)
    this.#failures = 0
  }

  #noteFailure(error: unknown): number {
    const { log, random, clock, onTurn } = this.#options
    onTurn?.(this.#duty.name, false)
    const { leastMs, mostMs } = this.#backoff
    this.#failures += 1
    const asked = askedWaitMs(error, mostMs)
    const waitMs = Math.max(backoffMs(this.#failures, this.#backoff, random), asked)
    log.error({ duty: this.#duty.name, failures: this.#failures, waitMs, err: error }, 'failed, will try again')
    this.#notBeforeMs = clock.monotonic() + Math.max(leastMs, asked)
    return this.#wokenWhileRunning ? Math.min(waitMs, Math.max(leastMs, asked)) : waitMs
  }
}
