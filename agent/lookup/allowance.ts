import type { Change } from '../kube/informer.ts'

/** What may be kept in memory of one collection, in characters of JSON. */
export interface Limits {
  readonly mostEach: number
  readonly mostInAll: number
}

/** One object of a collection: it is there, and what is kept of it, if anything. */
export interface Kept<T> {
  readonly value: T | undefined
  readonly size: number
}

/**
 * Bounds what an informer keeps of one collection. Anyone who may make objects could make agents grow until they die, on
 * all nodes at once: what does not fit is known to be there, and kactus asks the API for it.
 */
export class Allowance<T> {
  readonly #translate: (body: unknown) => T | undefined
  readonly #limits: Limits
  #used = 0
  /** Admitted, and not among the changes yet. */
  #coming = 0
  #left = 0

  constructor(translate: (body: unknown) => T | undefined, limits: Limits) {
    this.#translate = translate
    this.#limits = limits
  }

  /** Objects that are there and not kept. */
  get left(): number {
    return this.#left
  }

  /** What was admitted and did not come will not come any more. */
  readonly begin = (): void => {
    this.#coming = 0
  }

  /** Takes in one object, as far as there is room. */
  readonly admit = (body: unknown): Kept<T> => {
    const { mostEach, mostInAll } = this.#limits
    const value = this.#translate(body)
    const size = value === undefined ? 0 : JSON.stringify(value).length + overhead
    if (value === undefined || size > mostEach || this.#used + this.#coming + size > mostInAll) return notKept
    this.#coming += size
    return { value, size }
  }

  /** Counts what came and went. */
  take(changes: readonly Change<Kept<T>>[]): void {
    this.#coming = 0
    for (const { before, after } of changes) {
      this.#used += (after?.size ?? 0) - (before?.size ?? 0)
      this.#left += Number(after?.value === undefined && after !== undefined)
      this.#left -= Number(before?.value === undefined && before !== undefined)
    }
  }
}

/** An object costs its entry too. */
const overhead = 256
const notKept = { value: undefined, size: 0 } as const
const absent = { state: 'absent' } as const
const unknown = { state: 'unknown' } as const

/** Whether one object is known, is certainly not there, or may be there. */
export type Sight<T> =
  | { readonly state: 'known'; readonly value: T; readonly size: number }
  | { readonly state: 'absent' | 'unknown' }

/** @param current whether an object that is not known is nowhere */
export function sightOf<T>(kept: Kept<T> | undefined, current: boolean): Sight<T> {
  if (kept === undefined) return current ? absent : unknown
  return kept.value === undefined ? unknown : { state: 'known', value: kept.value, size: kept.size }
}
