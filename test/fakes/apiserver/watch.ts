import { toView } from './events.ts'
import { badRequest, Fault, invalid, tooOld } from './fault.ts'
import { asObject, type JsonObject } from './json.ts'
import { parseRevision, type Scope, selectorOf } from './list.ts'
import { isTrue } from './request.ts'
import { apiVersionOf } from './resources.ts'
import type { Selector } from './selectors.ts'
import type { Change, Store } from './store.ts'

/** Where a watch sends its lines. */
export interface WatchSink {
  write(line: JsonObject): void
  end(): void
}

const bookmarkEveryMs = 60_000
/** How long before its end a watch gets its last bookmark. */
const lastBookmarkMs = 2000
const longestMs = 30 * 60_000

/** What a watch asked for, checked. */
interface Wanted {
  readonly revision: number
  readonly initial: boolean
  readonly bookmarks: boolean
  readonly timeoutMs: number
}

/**
 * Checks the query and returns the function that starts the watch; that one returns what stops it.
 * In two steps because a refusal is an answer of its own, and a started watch has answered 200.
 */
export function prepareWatch(store: Store, scope: Scope): (sink: WatchSink) => () => void {
  const wanted = readQuery(scope)
  const selects = selectorOf(scope)
  return sink => {
    const { table } = scope.resource
    if (!wanted.initial && wanted.revision < store.oldest(table)) {
      sink.write({ type: 'ERROR', object: tooOld(wanted.revision, store.oldest(table)).body })
      sink.end()
      return () => undefined
    }
    return run({ store, scope, selects, wanted, sink })
  }
}

interface Running {
  readonly store: Store
  readonly scope: Scope
  readonly selects: Selector
  readonly wanted: Wanted
  readonly sink: WatchSink
}

function run({ store, scope, selects, wanted, sink }: Running): () => void {
  const { resource } = scope
  const send = (change: Change): void => {
    const line = change.table === resource.table ? lineOf(change, selects) : undefined
    if (line === undefined || change.revision <= from) return
    sink.write({ type: line.type, object: toView(resource, line.object) })
  }
  const bookmark = (annotations?: JsonObject): void => {
    if (!wanted.bookmarks) return
    const metadata = { resourceVersion: String(store.revision), ...(annotations === undefined ? {} : { annotations }) }
    sink.write({ type: 'BOOKMARK', object: { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } })
  }
  const from = wanted.initial ? store.revision : wanted.revision
  if (wanted.initial) {
    for (const [, object] of store.entries(resource.table)) {
      if (selects(object)) sink.write({ type: 'ADDED', object: toView(resource, object) })
    }
    bookmark({ 'k8s.io/initial-events-end': 'true' })
  }
  for (const change of store.changesSince(resource.table, from)) send(change)
  const unsubscribe = store.subscribe(send)
  const stopTimers = startTimers(wanted.timeoutMs, bookmark, () => {
    unsubscribe()
    sink.end()
  })
  return () => {
    unsubscribe()
    stopTimers()
  }
}

function startTimers(timeoutMs: number, bookmark: () => void, end: () => void): () => void {
  const regular = setInterval(bookmark, bookmarkEveryMs)
  const last = setTimeout(bookmark, Math.max(0, timeoutMs - lastBookmarkMs))
  const stop = (): void => {
    clearInterval(regular)
    clearTimeout(last)
    clearTimeout(over)
  }
  const over = setTimeout(() => {
    stop()
    end()
  }, timeoutMs)
  return stop
}

interface Line {
  readonly type: Change['type']
  readonly object: JsonObject
}

/** What a change means to a watch that sees only some objects: one may come into sight or leave it. */
function lineOf(change: Change, selects: Selector): Line | undefined {
  const before = change.previous !== undefined && selects(change.previous)
  const after = change.type !== 'DELETED' && selects(change.object)
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object: change.object }
  return before ? { type: 'DELETED', object: lastSeen(change) } : undefined
}

/** The object as it was last in sight, with the revision of the change that took it away. */
function lastSeen(change: Change): JsonObject {
  const metadata = { ...asObject(change.previous?.metadata), resourceVersion: String(change.revision) }
  return { ...change.previous, metadata }
}

function readQuery({ query }: Scope): Wanted {
  const text = query.get('resourceVersion') ?? ''
  const revision = parseRevision(text)
  if (revision === undefined) {
    const why = `Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`
    throw new Fault({ code: 500, message: `resourceVersion: ${why}` })
  }
  const asked = query.get('sendInitialEvents')
  if (asked !== null && query.get('resourceVersionMatch') !== 'NotOlderThan') throw needsMatch()
  return {
    revision,
    initial: asked === null ? revision === 0 : isTrue(asked),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutMs: timeoutOf(query.get('timeoutSeconds')),
  }
}

function timeoutOf(text: string | null): number {
  if (text === null) return longestMs
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`)
  const seconds = Number(text)
  return seconds === 0 ? longestMs : Math.min(seconds * 1000, 2 ** 31 - 1)
}

function needsMatch(): Fault {
  const subject = { group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }
  const message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'
  return invalid(subject, '', [{ reason: 'FieldValueForbidden', message, field: 'resourceVersionMatch' }])
}
