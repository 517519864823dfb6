import { startWatch, type Watch, type WatchOptions, type WatchSink } from './watch.ts'
import type { RawObject } from './watch-events.ts'

/** One object that came (no `before`), changed, or went (no `after`). One made anew under the same name has changed. */
export interface Change<T> {
  /** As `objectKey` has it. */
  readonly key: string
  readonly before: T | undefined
  readonly after: T | undefined
}

/**
 * Hears of changes, in the order they happened. One that comes late hears first of all that is there. After each list
 * it is called once for all that the list has changed, even if that is nothing.
 */
export type Reader<T> = (changes: readonly Change<T>[]) => void

/** What is known of one kind: one watch, many readers. */
export interface Informer<T> {
  get(key: string): T | undefined
  values(): Iterable<T>
  /** Whether all that is there has been told once: before that, what is not known may exist all the same. */
  synced(): boolean
  /** Whether what is known is all there is now, but for what is on its way. */
  current(): boolean
  /** Whether a stream is open now, which proves that the server answers us. */
  live(): boolean
  /** @returns ends it */
  subscribe(reader: Reader<T>): () => void
  stop(): Promise<void>
}

export interface InformerOptions<T> extends Omit<WatchOptions, 'sink'> {
  /** Makes an object a checked value that holds no more than readers need; undefined = not one, and it is left out. */
  readonly parse: (body: unknown) => T | undefined
  /** All that is there is about to be told; what was parsed for it before, and came to nobody, is dropped. */
  readonly onBegin?: () => void
}

/** Follows the objects of one kind. */
export function startInformer<T>(options: InformerOptions<T>): Informer<T> {
  const known = new Known(options)
  const watch: Watch = startWatch({ ...options, sink: known })
  return {
    get: key => known.get(key),
    values: () => known.values(),
    synced: () => known.synced,
    current: () => watch.current(),
    live: () => watch.live(),
    subscribe: reader => known.subscribe(reader),
    stop: () => watch.stop(),
  }
}

interface Entry<T> {
  readonly version: string
  readonly value: T
}

/** The objects that are there, and who wants to hear of them. An event costs the same however many there are. */
class Known<T> implements WatchSink {
  readonly #options: InformerOptions<T>
  readonly #entries = new Map<string, Entry<T>>()
  readonly #readers = new Set<Reader<T>>()
  /** What has been told since `begin`. */
  #told: Map<string, Entry<T>> | undefined
  #inParts = false
  synced = false

  constructor(options: InformerOptions<T>) {
    this.#options = options
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value
  }

  *values(): Generator<T> {
    for (const { value } of this.#entries.values()) yield value
  }

  subscribe(reader: Reader<T>): () => void {
    this.#readers.add(reader)
    const present = [...this.#entries].map(([key, { value }]) => ({ key, before: undefined, after: value }))
    if (this.synced || present.length > 0) this.#tell(reader, present)
    return () => this.#readers.delete(reader)
  }

  begin(inParts: boolean): void {
    this.#told = new Map()
    this.#inParts = inParts
    this.#options.onBegin?.()
  }

  set(object: RawObject): void {
    const entry = this.#read(object)
    if (entry === undefined) {
      this.remove(object.key)
      return
    }
    this.#told?.set(object.key, entry)
    this.#take(object.key, entry)
  }

  remove(key: string): void {
    this.#told?.delete(key)
    this.#take(key, undefined)
  }

  end(): void {
    const told = this.#told ?? new Map<string, Entry<T>>()
    this.#told = undefined
    this.synced = true
    const gone = [...this.#entries.keys()].filter(key => !told.has(key))
    const changes = [...told].map(([key, entry]) => this.#put(key, entry))
    changes.push(...gone.map(key => this.#put(key, undefined)))
    this.#tellAll(changes.filter(change => change !== undefined))
  }

  /** One that is as it was is not parsed again: no change, and no second copy. */
  #read({ key, resourceVersion: version, body }: RawObject): Entry<T> | undefined {
    const known = this.#entries.get(key)
    if (known !== undefined && known.version === version && version !== '') return known
    const value = this.#options.parse(body)
    return value === undefined ? undefined : { version, value }
  }

  #take(key: string, entry: Entry<T> | undefined): void {
    if (this.#told !== undefined && !this.#inParts) return
    const change = this.#put(key, entry)
    if (change !== undefined) this.#tellAll([change])
  }

  #put(key: string, entry: Entry<T> | undefined): Change<T> | undefined {
    const known = this.#entries.get(key)
    if (known === entry) return undefined
    if (entry === undefined) this.#entries.delete(key)
    else this.#entries.set(key, entry)
    return { key, before: known?.value, after: entry?.value }
  }

  #tellAll(changes: readonly Change<T>[]): void {
    // One that comes while others are told has heard of everything, one that goes hears no more.
    for (const reader of [...this.#readers]) if (this.#readers.has(reader)) this.#tell(reader, changes)
  }

  /** What a reader does wrong is its own: the watch and the others go on. */
  #tell(reader: Reader<T>, changes: readonly Change<T>[]): void {
    try {
      reader(changes)
    } catch (error) {
      const { log, path } = this.#options
      log.error({ path, err: error }, 'a reader of the watch failed')
    }
  }
}
