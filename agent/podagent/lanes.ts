import type { Clock } from '../runtime/clock.ts'

/**
 * Lets so many at once begin. One that takes its time gives up its place, so that plugins that hang keep no other pod
 * waiting; one that comes while all places are taken waits for the next.
 */
export class Lanes {
  readonly #patienceMs: number
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(width: number, patienceMs: number, clock: Clock) {
    this.#free = width
    this.#patienceMs = patienceMs
    this.#clock = clock
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    let isHeld = true
    const leave = () => {
      if (isHeld) this.#next()
      isHeld = false
    }
    const cancel = this.#clock.after(this.#patienceMs, leave)
    try {
      return await work()
    } finally {
      cancel()
      leave()
    }
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
