import { crdTable, tableOf } from './catalog.ts'
import { checkObject, type DefaultsContext, fillDefaults, shapeObject } from './defaults.ts'
import { toStored, toView } from './events.ts'
import { alreadyExists, badRequest, notFound, preconditionFailed } from './fault.ts'
import { asList, asObject, asText, isObject, type JsonObject, valueAt } from './json.ts'
import { newObject, readObject, timestamp, type UpdateRequest, updatedObject } from './object.ts'
import { applyPatch, type Patch } from './patch.ts'
import type { Target } from './request.ts'
import type { Resource } from './resources.ts'
import { builtIn } from './resources.ts'
import type { Store } from './store.ts'

/** What a verb works on. */
export interface Place {
  readonly store: Store
  readonly resource: Resource
  readonly target: Target
  readonly defaults: DefaultsContext
  /** `dryRun=All`: answer as if, change nothing. */
  readonly dryRun: boolean
}

/** An answer with an object. */
export interface Reply {
  readonly code: number
  readonly body: JsonObject
}

/** Kinds whose DELETE answers with the object instead of a Status. */
const returnsDeleted = ['/pods', '/services', '/serviceaccounts', '/namespaces']

export function getObject(place: Place): Reply {
  return { code: 200, body: toView(place.resource, need(place)) }
}

export function createObject(place: Place, body: unknown): Reply {
  const { store, resource, target } = place
  const sent = readObject(resource, body)
  needNamespace(store, target.namespace)
  const named = newObject(resource, sent, target.namespace)
  const name = asText(valueAt(named, 'metadata.name'))
  const key = keyOf(target.namespace, name)
  if (store.get(resource.table, key) !== undefined) throw alreadyExists(resource, name)
  checkObject(resource, named)
  const filled = shapeObject(resource, fillDefaults(resource, toStored(resource, named), place.defaults))
  if (place.dryRun) return { code: 201, body: toView(resource, filled) }
  if (resource.table === crdTable) store.begin(tableOf(filled))
  return { code: 201, body: toView(resource, store.put(resource.table, key, filled)) }
}

export function replaceObject(place: Place, body: unknown): Reply {
  const { resource, target } = place
  const sent = readObject(resource, body)
  const stored = storedOf(place)
  // The name is looked at before the existence.
  const name = asText(valueAt(sent, 'metadata.name'))
  if (stored === undefined && name === target.name) throw notFound(resource, target.name)
  return save(place, stored ?? {}, sent, false)
}

export function patchObject(place: Place, patch: Patch): Reply {
  const { resource } = place
  const view = toView(resource, need(place))
  return save(place, view, applyPatch(resource, view, patch), true)
}

function save(place: Place, stored: JsonObject, sent: JsonObject, patch: boolean): Reply {
  const { store, resource, target } = place
  const how: UpdateRequest = { name: target.name, subresource: target.subresource, patch }
  const next = shapeObject(resource, updatedObject(resource, toView(resource, stored), sent, how))
  // An event made through the older kind may lack what the newer one demands; it can be changed all the same.
  if (resource.table !== '/events') checkObject(resource, next)
  const key = keyOf(target.namespace, target.name)
  if (place.dryRun) return { code: 200, body: next }
  if (isReleased(next)) {
    store.remove(resource.table, key)
    return { code: 200, body: next }
  }
  return { code: 200, body: toView(resource, store.put(resource.table, key, toStored(resource, next))) }
}

/** The last finalizer of a deleted object is gone. */
function isReleased(object: JsonObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = asObject(object.metadata)
  const held = asList(finalizers).length > 0 || Number(deletionGracePeriodSeconds ?? 0) > 0
  return deletionTimestamp !== undefined && !held && object.kind !== 'Namespace'
}

export function deleteObject(place: Place, body: unknown): Reply {
  const { store, resource, target } = place
  const stored = need(place)
  const options = isObject(body) ? body : {}
  checkPreconditions(place, stored, asObject(options.preconditions))
  const key = keyOf(target.namespace, target.name)
  const returns = returnsDeleted.includes(resource.table)
  const waits = waitSeconds(resource, stored, options)
  if (place.dryRun) return { code: 200, body: returns ? stored : success(place, stored) }
  if (waits !== undefined) return { code: 200, body: store.put(resource.table, key, marked(resource, stored, waits)) }
  const removed = store.remove(resource.table, key) ?? stored
  return { code: 200, body: returns ? removed : success(place, stored) }
}

/** Seconds until an object may go; undefined = it goes at once. */
function waitSeconds(resource: Resource, stored: JsonObject, options: JsonObject): number | undefined {
  const held = asList(valueAt(stored, 'metadata.finalizers')).length > 0
  if (held || resource.table === '/namespaces') return 0
  // A pod on a node waits for that node's kubelet, which ends it by a delete without grace.
  if (resource.table !== '/pods' || asText(valueAt(stored, 'spec.nodeName')) === '') return undefined
  const grace = options.gracePeriodSeconds ?? valueAt(stored, 'spec.terminationGracePeriodSeconds')
  return typeof grace === 'number' && grace > 0 ? grace : undefined
}

function marked(resource: Resource, stored: JsonObject, seconds: number): JsonObject {
  const metadata = asObject(stored.metadata)
  const deletionTimestamp = metadata.deletionTimestamp ?? timestamp(Date.now() + seconds * 1000)
  const generation = Number(metadata.generation ?? 0) + 1
  const grace = resource.table === '/pods' ? { deletionGracePeriodSeconds: seconds, generation } : {}
  const phase = resource.table === '/namespaces' ? { status: { phase: 'Terminating' } } : {}
  return { ...stored, ...phase, metadata: { ...metadata, deletionTimestamp, ...grace } }
}

function checkPreconditions(place: Place, stored: JsonObject, wanted: JsonObject): void {
  const { uid, resourceVersion } = asObject(stored.metadata)
  const fail = (what: string, given: unknown, found: unknown, why: string): never => {
    const text = `the ${what} in the precondition (${given}) does not match the ${what} in record (${found}). The object might have been ${why}`
    throw preconditionFailed(place.resource, place.target.name, text)
  }
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    fail('UID', wanted.uid, uid, 'deleted and then recreated')
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    fail('ResourceVersion', wanted.resourceVersion, resourceVersion, 'modified')
  }
}

function success({ resource, target }: Place, stored: JsonObject): JsonObject {
  const group = resource.group === '' ? {} : { group: resource.group }
  const details = { name: target.name, ...group, kind: resource.plural, uid: valueAt(stored, 'metadata.uid') }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

function storedOf({ store, resource, target }: Place): JsonObject | undefined {
  return store.get(resource.table, keyOf(target.namespace, target.name))
}

function need(place: Place): JsonObject {
  const stored = storedOf(place)
  if (stored === undefined) throw notFound(place.resource, place.target.name)
  return stored
}

function needNamespace(store: Store, namespace: string): void {
  if (namespace === '' || store.get('/namespaces', namespace) !== undefined) return
  const namespaces = builtIn.find(resource => resource.table === '/namespaces')
  throw namespaces === undefined ? badRequest('no namespaces') : notFound(namespaces, namespace)
}

function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`
}
