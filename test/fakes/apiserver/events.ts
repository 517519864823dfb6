import { asObject, type Json, type JsonObject } from './json.ts'
import type { Resource } from './resources.ts'

// The two kinds of events are two views of the same objects: what one calls `note`, the other calls `message`.
const names: readonly (readonly [core: string, newer: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]

/** A stored object as this resource shows it. */
export function toView(resource: Resource, stored: JsonObject): JsonObject {
  if (!isNewerEvent(resource)) return stored
  const view = Object.entries(rename(stored, new Map(names)))
  const told = view.filter(([key, value]) => !(key.startsWith('reporting') && value === ''))
  return { ...Object.fromEntries(told), apiVersion: 'events.k8s.io/v1' }
}

/** What a client sent for this resource, as it is stored. */
export function toStored(resource: Resource, sent: JsonObject): JsonObject {
  if (!isNewerEvent(resource)) return sent
  return { ...rename(sent, new Map(names.map(([core, newer]) => [newer, core]))), apiVersion: 'v1' }
}

function isNewerEvent(resource: Resource): boolean {
  return resource.group === 'events.k8s.io'
}

function rename(object: JsonObject, to: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.entries(asObject(object)).map(([key, value]): [string, Json | undefined] => [
    to.get(key) ?? key,
    value,
  ])
  return Object.fromEntries(entries)
}
