import type { Clock } from '../runtime/clock.ts'
import type { Worker } from './worker.ts'

/** What a watch has had time to tell by then. */
const settleMs = 10_000

/**
 * What was written and the watch has not told yet: without it the next plan, which comes in the same second, would do it
 * all again.
 */
export class RecentWrites {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #workers = new Map<string, { readonly worker: Worker; readonly atMs: number }>()
  readonly #done = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  addWorker(worker: Worker): void {
    this.#workers.set(worker.name, { worker, atMs: this.#clock.monotonic() })
  }

  /** @param what names one write to one object */
  note(what: string): void {
    this.#done.set(what, this.#clock.monotonic())
  }

  has(what: string): boolean {
    this.#forget()
    return this.#done.has(what)
  }

  /** Those the watch tells of, and those that it does not know yet. */
  complete(told: readonly Worker[]): readonly Worker[] {
    this.#forget()
    for (const { name } of told) this.#workers.delete(name)
    return [...told, ...[...this.#workers.values()].map(({ worker }) => worker)]
  }

  #forget(): void {
    const sinceMs = this.#clock.monotonic() - settleMs
    for (const [key, { atMs }] of this.#workers) if (atMs < sinceMs) this.#workers.delete(key)
    for (const [key, atMs] of this.#done) if (atMs < sinceMs) this.#done.delete(key)
  }
}
