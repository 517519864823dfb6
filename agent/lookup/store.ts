/** What may be kept in memory of one collection, in characters of JSON. */
export interface StoreLimits {
  readonly mostEach: number
  readonly mostInAll: number
}

/** One object of a collection: it is there, and what is kept of it, if anything. */
export interface Kept<T> {
  readonly value: T | undefined
  readonly size: number
}

/** What is known of one object: itself, that there is none, or nothing for sure. */
export type Sight<T> =
  | { readonly known: 'object'; readonly value: T; readonly size: number }
  | { readonly known: 'none' | 'nothing' }

/**
 * The objects of one collection within bounds, for a watch to fill. Anyone who may make objects could make agents grow
 * until they die, on all nodes at once: what does not fit is known to be there, and kactus asks the API for it.
 */
export class BoundedStore<T> {
  readonly #translate: (body: unknown) => T | undefined
  readonly #limits: StoreLimits
  #objects: ReadonlyMap<string, Kept<T>> = new Map()
  #used = 0

  constructor(translate: (body: unknown) => T | undefined, limits: StoreLimits) {
    this.#translate = translate
    this.#limits = limits
  }

  /** Objects that are there and not kept. */
  get left(): number {
    return [...this.#objects.values()].filter(({ value }) => value === undefined).length
  }

  /** Takes in one object, as far as there is room. */
  readonly admit = (body: unknown): Kept<T> => {
    const value = this.#translate(body)
    const size = value === undefined ? 0 : JSON.stringify(value).length + overhead
    if (value === undefined || size > this.#limits.mostEach || this.#used + size > this.#limits.mostInAll) return left
    this.#used += size
    return { value, size }
  }

  /** Takes over all that there is now. */
  show(objects: ReadonlyMap<string, Kept<T>>): void {
    this.#objects = objects
    this.#used = [...objects.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** All that is kept. */
  values(): readonly T[] {
    return [...this.#objects.values()].flatMap(({ value }) => (value === undefined ? [] : [value]))
  }

  /** @param current whether an object that is not here is nowhere */
  find(key: string, current: boolean): Sight<T> {
    const kept = this.#objects.get(key)
    if (kept === undefined) return current ? absent : unknown
    return kept.value === undefined ? unknown : { known: 'object', value: kept.value, size: kept.size }
  }
}

/** An object costs its entry too. */
const overhead = 256
const left = { value: undefined, size: 0 } as const
const absent = { known: 'none' } as const
const unknown = { known: 'nothing' } as const
