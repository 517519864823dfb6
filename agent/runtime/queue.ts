import { askedWaitMs, type BackoffLimits, backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { LogFields, Logger } from './log.ts'

/** What a queue is made of. */
export interface QueueOptions {
  /**
   * Brings what the key stands for one step nearer to what is wanted.
   * @returns milliseconds until the key is due again; undefined = only when it is added
   * @throws anything: it is logged once and the key comes back with backoff
   */
  readonly work: (key: string, signal: AbortSignal) => Promise<number | undefined>
  /** So many keys are worked on at once. */
  readonly width: number
  /** Milliseconds for one step, which must end when its signal fires; no end unless told. */
  readonly limitMs?: number
  readonly backoff: BackoffLimits
  readonly clock: Clock
  /** 0 to 1; spreads waits. */
  readonly random: () => number
  readonly log: Logger
  /** What log lines say of a key. */
  readonly fields: (key: string) => LogFields
  /** Told of each failed step, and of the first good one after it. */
  readonly onTurn?: (key: string, works: boolean) => void
}

/** Work in steps, each on one key: never two at once on the same, and no key keeps another waiting but by being at work. */
export interface Queue {
  /** The key is due now, or once more if it is at work. After a failure this cuts its wait down to the shortest one. */
  add(key: string): void
  /** Aborts what is at work and resolves once it has ended; what waits is dropped. */
  stop(): Promise<void>
}

export function startQueue(options: QueueOptions): Queue {
  return new KeyedQueue(options)
}

/** A step ran into its time limit. */
class StepTimedOutError extends Error {
  override readonly name = 'StepTimedOutError'
  readonly code = 'TimedOut'
}

/** A key that is due, at work, or waits; any other is forgotten. */
interface KeyState {
  failures: number
  /** After a failure: however often it is added, it is not due before this. */
  notBeforeMs: number
  /** Added while at work. */
  again: boolean
  cancelTimer: () => void
}

class KeyedQueue implements Queue {
  readonly #options: QueueOptions
  readonly #controller = new AbortController()
  readonly #keys = new Map<string, KeyState>()
  /** In the order in which they became due. */
  readonly #due = new Set<string>()
  readonly #working = new Map<string, Promise<void>>()

  constructor(options: QueueOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#controller.signal.aborted) return
    const state = this.#stateOf(key)
    if (this.#working.has(key)) state.again = true
    else if (state.failures === 0) this.#makeDue(key, state)
    else if (!this.#due.has(key))
      this.#schedule(key, state, Math.max(0, state.notBeforeMs - this.#options.clock.monotonic()))
  }

  async stop(): Promise<void> {
    this.#controller.abort(new Error('the agent ends'))
    for (const { cancelTimer } of this.#keys.values()) cancelTimer()
    this.#due.clear()
    await Promise.all(this.#working.values())
  }

  #stateOf(key: string): KeyState {
    const state = this.#keys.get(key) ?? { failures: 0, notBeforeMs: 0, again: false, cancelTimer: () => undefined }
    this.#keys.set(key, state)
    return state
  }

  #schedule(key: string, state: KeyState, delayMs: number): void {
    state.cancelTimer()
    state.cancelTimer = this.#options.clock.after(delayMs, () => this.#makeDue(key, state))
  }

  #makeDue(key: string, state: KeyState): void {
    state.cancelTimer()
    this.#due.add(key)
    this.#fill()
  }

  /** Begins as many steps as there is room for. */
  #fill(): void {
    for (const key of this.#due) {
      if (this.#working.size >= this.#options.width) return
      this.#due.delete(key)
      // At work before its step begins: that may add it.
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#working.set(key, promise)
      void this.#run(key).then(resolve)
    }
  }

  async #run(key: string): Promise<void> {
    const state = this.#stateOf(key)
    state.again = false
    const delayMs = await this.#step(key, state)
    this.#working.delete(key)
    if (this.#controller.signal.aborted) return
    // Not at once even if it was added: those that became due meanwhile are first.
    if (delayMs === undefined) this.#keys.delete(key)
    else this.#schedule(key, state, delayMs)
    this.#fill()
  }

  /** One step; says when the next one is due. Never throws. */
  async #step(key: string, state: KeyState): Promise<number | undefined> {
    try {
      const delayMs = await this.#work(key)
      if (state.failures > 0) this.#noteRecovery(key, state)
      return state.again ? 0 : delayMs
    } catch (error) {
      return this.#controller.signal.aborted ? undefined : this.#noteFailure(key, state, error)
    }
  }

  async #work(key: string): Promise<number | undefined> {
    const { work, limitMs, clock } = this.#options
    const { signal } = this.#controller
    if (limitMs === undefined) return work(key, signal)
    const limit = new AbortController()
    const cancel = clock.after(limitMs, () => limit.abort(new StepTimedOutError(`took longer than ${limitMs} ms`)))
    try {
      return await work(key, AbortSignal.any([signal, limit.signal]))
    } finally {
      cancel()
    }
  }

  #noteRecovery(key: string, state: KeyState): void {
    const { log, fields, onTurn } = this.#options
    log.info({ ...fields(key), failures: state.failures }, 'works again')
    onTurn?.(key, true)
    state.failures = 0
  }

  #noteFailure(key: string, state: KeyState, error: unknown): number {
    const { log, fields, random, clock, onTurn, backoff } = this.#options
    onTurn?.(key, false)
    state.failures += 1
    const asked = askedWaitMs(error, backoff.mostMs)
    const soonestMs = Math.max(backoff.leastMs, asked)
    const waitMs = Math.max(backoffMs(state.failures, backoff, random), asked)
    log.error({ ...fields(key), failures: state.failures, waitMs, err: error }, 'failed, will try again')
    state.notBeforeMs = clock.monotonic() + soonestMs
    return state.again ? Math.min(waitMs, soonestMs) : waitMs
  }
}
