import { Fault } from './fault.ts'
import { asText, isObject, type Json, type JsonObject, without } from './json.ts'

/** Applies a JSON merge patch (RFC 7386): null removes, objects merge, everything else replaces. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  let merged: JsonObject = isObject(document) ? document : {}
  for (const [key, value] of Object.entries(patch)) {
    merged =
      value === null || value === undefined
        ? without(merged, key)
        : { ...merged, [key]: applyMergePatch(merged[key], value) }
  }
  return merged
}

/** Lists that a strategic merge patch merges by a key, by their dotted path; `''` stands for a list of plain values. */
export type MergeKeys = Readonly<Record<string, string>>

/** Applies a strategic merge patch: as a merge patch, but the lists of `keys` are merged item by item. */
export function applyStrategicPatch(document: JsonObject, patch: JsonObject, keys: MergeKeys): JsonObject {
  return mergeObject(document, patch, { keys, path: '' })
}

interface Place {
  readonly keys: MergeKeys
  readonly path: string
}

function mergeObject(document: JsonObject, patch: JsonObject, place: Place): JsonObject {
  if (patch.$patch === 'replace') return without(patch, '$patch')
  let merged = document
  for (const [key, value] of Object.entries(patch)) {
    // kubectl's hint about the order of a list; the order alone is no use to anybody here.
    if (key.startsWith('$setElementOrder/')) continue
    if (key.startsWith('$')) throw new Fault({ code: 500, message: `the embedded server knows no directive ${key}` })
    merged = mergeField(merged, key, { value: value ?? null, place })
  }
  return merged
}

function mergeField(document: JsonObject, key: string, patch: { value: Json; place: Place }): JsonObject {
  const { value, place } = patch
  if (value === null) return without(document, key)
  const below = { keys: place.keys, path: place.path === '' ? key : `${place.path}.${key}` }
  return { ...document, [key]: mergeValue(document[key], value, below) }
}

function mergeValue(document: Json | undefined, patch: Json, place: Place): Json {
  if (isObject(patch)) return mergeObject(isObject(document) ? document : {}, patch, place)
  const key = place.keys[place.path]
  if (!isList(patch) || !isList(document ?? []) || key === undefined) return patch
  // Nothing to merge with: the list is taken as it is, even an item without its key.
  if (document === undefined) return patch.filter(item => !(isObject(item) && item.$patch === 'delete'))
  const present = isList(document) ? document : []
  return key === '' ? [...new Set([...present, ...patch])] : mergeItems(present, patch, { key, place })
}

function mergeItems(present: readonly Json[], patch: readonly Json[], by: { key: string; place: Place }): Json[] {
  const id = (item: Json): string => idOf(item, by.key)
  const removed = new Set(patch.filter(item => isObject(item) && item.$patch === 'delete').map(id))
  const changes = new Map(patch.filter(item => !removed.has(id(item))).map(item => [id(item), item]))
  const order = present.map(id)
  const untouched = present.filter(item => !removed.has(id(item)) && !changes.has(id(item)))
  const changed = [...changes].map(([name, item]) => {
    const old = present.find(one => id(one) === name)
    return mergeObject(isObject(old) ? old : {}, isObject(item) ? item : {}, by.place)
  })
  return interleave(untouched, changed, item => order.indexOf(id(item)))
}

/** The real server's order: a changed item keeps its place, a new one goes before the untouched ones. */
function interleave(untouched: readonly Json[], changed: readonly Json[], rank: (item: Json) => number): Json[] {
  const merged: Json[] = []
  let rest = untouched
  for (const item of changed) {
    const before = rest.filter(other => rank(item) >= 0 && rank(other) < rank(item))
    rest = rest.filter(other => !before.includes(other))
    merged.push(...before, item)
  }
  return [...merged, ...rest]
}

function idOf(item: Json, key: string): string {
  const id = isObject(item) ? asText(item[key]) : ''
  if (id !== '') return id
  const shown = isObject(item)
    ? Object.entries(item)
        .map(([name, value]) => `${name}:${String(value)}`)
        .join(' ')
    : String(item)
  throw new Fault({ code: 500, message: `map: map[${shown}] does not contain declared merge key: ${key}` })
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
