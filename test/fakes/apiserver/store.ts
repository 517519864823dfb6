import { isSame, type JsonObject } from './json.ts'

/** One change of one object. */
export interface Change {
  readonly revision: number
  readonly table: string
  readonly key: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** The object after the change; of a removal as it was, with the revision of the removal. */
  readonly object: JsonObject
  readonly previous: JsonObject | undefined
}

/** How many changes are remembered for watches that come back. */
const historyLimit = 20_000

/** All objects, in tables, under one revision that grows with each change; remembers the changes for watches. */
export class Store {
  #revision = 1
  readonly #tables = new Map<string, Map<string, JsonObject>>()
  /** Changes at or before this revision are no longer known. */
  readonly #floors = new Map<string, number>()
  #history: Change[] = []
  #floor = 0
  readonly #listeners = new Set<(change: Change) => void>()

  get revision(): number {
    return this.#revision
  }

  /** Begins a table: what happened before is nothing its watches can ask for. */
  begin(table: string): void {
    this.#floors.set(table, this.#revision)
  }

  /** The oldest revision from which a watch of this table can start. */
  oldest(table: string): number {
    return Math.max(this.#floor, this.#floors.get(table) ?? 0)
  }

  get(table: string, key: string): JsonObject | undefined {
    return this.#tables.get(table)?.get(key)
  }

  /** All objects of a table, by key, as they were at a revision. */
  entries(table: string, revision = this.#revision): readonly (readonly [string, JsonObject])[] {
    const state = new Map(this.#tables.get(table))
    for (const change of this.#history.filter(one => one.table === table && one.revision > revision).reverse()) {
      if (change.previous === undefined) state.delete(change.key)
      else state.set(change.key, change.previous)
    }
    return [...state].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** The changes of a table after a revision, oldest first. */
  changesSince(table: string, revision: number): readonly Change[] {
    return this.#history.filter(change => change.table === table && change.revision > revision)
  }

  /** Puts an object; one that says the same as the stored one changes nothing. */
  put(table: string, key: string, object: JsonObject): JsonObject {
    const previous = this.get(table, key)
    if (previous !== undefined && isSame(previous, object)) return previous
    const stored = stamp(object, this.#revision + 1)
    this.#record({ table, key, type: previous === undefined ? 'ADDED' : 'MODIFIED', object: stored, previous })
    return stored
  }

  remove(table: string, key: string): JsonObject | undefined {
    const previous = this.get(table, key)
    if (previous === undefined) return undefined
    const object = stamp(previous, this.#revision + 1)
    this.#record({ table, key, type: 'DELETED', object, previous })
    return object
  }

  /** Calls back for every change from now on; the returned function ends that. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #record(parts: Omit<Change, 'revision'>): void {
    this.#revision += 1
    const change = { ...parts, revision: this.#revision }
    const table = this.#tables.get(parts.table) ?? new Map<string, JsonObject>()
    if (parts.type === 'DELETED') table.delete(parts.key)
    else table.set(parts.key, parts.object)
    this.#tables.set(parts.table, table)
    this.#history.push(change)
    if (this.#history.length > historyLimit) this.#forget()
    for (const listener of [...this.#listeners]) listener(change)
  }

  #forget(): void {
    const kept = this.#history.slice(-historyLimit / 2)
    this.#floor = (kept[0]?.revision ?? this.#revision) - 1
    this.#history = kept
  }
}

function stamp(object: JsonObject, revision: number): JsonObject {
  return { ...object, metadata: { ...(object.metadata as JsonObject), resourceVersion: String(revision) } }
}
