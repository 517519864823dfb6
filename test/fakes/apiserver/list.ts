import { toView } from './events.ts'
import { badRequest, Fault, tooNew } from './fault.ts'
import { asObject, type JsonObject, without } from './json.ts'
import { apiVersionOf, type Resource } from './resources.ts'
import { parseFieldSelector, parseLabelSelector, type Selector } from './selectors.ts'
import type { Store } from './store.ts'

/** What a list or a watch is about. */
export interface Scope {
  readonly resource: Resource
  /** `''` = all namespaces. */
  readonly namespace: string
  readonly query: URLSearchParams
}

interface Page {
  readonly revision: number
  /** Key after which it begins. */
  readonly after: string
}

/** Says which stored objects are meant: by namespace, labels and fields. */
export function selectorOf({ resource, namespace, query }: Scope): Selector {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '')
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', resource.fields)
  const inside: Selector = object => namespace === '' || asObject(object.metadata).namespace === namespace
  return object => inside(object) && labels(object) && fields(object)
}

/** Answers a list, page by page; later pages show what was there when the first was made. */
export function listObjects(store: Store, scope: Scope): JsonObject {
  const { resource, query } = scope
  checkRevision(store, query)
  const limit = Number(query.get('limit') ?? 0)
  const page = pageOf(store, resource, query.get('continue') ?? '')
  const selects = selectorOf(scope)
  const left = store.entries(resource.table, page.revision).filter(([key]) => key > page.after && inScope(scope, key))
  const selected = left.filter(([, object]) => selects(object))
  const items = limit > 0 ? selected.slice(0, limit) : selected
  const last = items.at(-1)?.[0] ?? ''
  // As in the real server, "more" means keys that were not looked at, whether they would be selected or not.
  const rest = limit > 0 && items.length === limit ? left.filter(([key]) => key > last).length : 0
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion: String(page.revision), ...restOf(rest, last, page.revision, query) },
    items: items.map(([, object]) => listed(resource, toView(resource, object))),
  }
}

/** Items of built-in lists do not repeat what kind they are. */
function listed(resource: Resource, object: JsonObject): JsonObject {
  return resource.custom ? object : without(without(object, 'kind'), 'apiVersion')
}

function inScope({ namespace }: Scope, key: string): boolean {
  return namespace === '' || key.startsWith(`${namespace}/`)
}

function restOf(count: number, last: string, revision: number, query: URLSearchParams): JsonObject {
  if (count === 0) return {}
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: `${last}\0` }
  const selecting = query.has('labelSelector') || query.has('fieldSelector')
  return {
    continue: Buffer.from(JSON.stringify(token)).toString('base64url'),
    // How many are left is known only where nothing has to be filtered out.
    ...(selecting ? {} : { remainingItemCount: count }),
  }
}

function pageOf(store: Store, resource: Resource, token: string): Page {
  if (token === '') return { revision: store.revision, after: '' }
  const { rv, start } = readToken(token)
  if (rv < store.oldest(resource.table)) {
    const message =
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.'
    throw new Fault({ code: 410, reason: 'Expired', message })
  }
  return { revision: rv, after: start.replace(/\0$/, '') }
}

function readToken(token: string): { rv: number; start: string } {
  try {
    const { rv, start } = asObject(JSON.parse(Buffer.from(token, 'base64url').toString()))
    if (typeof rv === 'number' && typeof start === 'string') return { rv, start }
  } catch {
    // Told below, with the tokens that parse and say nothing.
  }
  throw badRequest('invalid continue token: continue key is not valid')
}

function checkRevision(store: Store, query: URLSearchParams): void {
  const text = query.get('resourceVersion') ?? ''
  const revision = parseRevision(text)
  if (revision === undefined) {
    const why = `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`
    throw badRequest(`invalid resource version: ${why}`)
  }
  if (revision > store.revision) throw tooNew(revision, store.revision)
}

/** A resource version of a query; 0 where there is none, undefined where it is no number. */
export function parseRevision(text: string): number | undefined {
  if (text === '') return 0
  return /^\d+$/.test(text) ? Number(text) : undefined
}
