import { badRequest, patchRejected } from './fault.ts'
import { asText, isObject, isSame, type Json, type JsonObject, without } from './json.ts'

/**
 * Applies a JSON Patch with the real server's habits: `replace` of an absent key sets it, and `test` for null holds
 * where the key is absent.
 * @throws Fault 422 where an operation cannot be done, 400 where the patch is no list of operations
 */
export function applyJsonPatch(document: JsonObject, patch: unknown): Json {
  if (!Array.isArray(patch) || !patch.every(isObject)) {
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  }
  return patch.reduce<Json>(applyOne, document)
}

function applyOne(document: Json, operation: JsonObject): Json {
  const path = pointer(operation.path)
  const value = operation.value ?? null
  switch (operation.op) {
    case 'test':
      if (!isSame(find(document, path) ?? null, value)) throw patchRejected()
      return document
    case 'add':
      return add(document, path, value)
    case 'replace':
      return replace(document, path, value)
    case 'remove':
      return remove(document, path)
    case 'copy':
      return add(document, path, need(document, pointer(operation.from)))
    case 'move': {
      const from = pointer(operation.from)
      return add(remove(document, from), path, need(document, from))
    }
    default:
      throw patchRejected()
  }
}

function pointer(text: unknown): readonly string[] {
  const parts = asText(text).split('/')
  if (parts.length < 2 || parts[0] !== '') throw patchRejected()
  return parts.slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function find(document: Json, path: readonly string[]): Json | undefined {
  const [key, ...rest] = path
  if (key === undefined) return document
  const child = childOf(document, key)
  // Where the parent is not there, the server cannot say what it would hold.
  if (child === undefined && rest.length > 0) throw patchRejected()
  return child === undefined ? undefined : find(child, rest)
}

function need(document: Json, path: readonly string[]): Json {
  const found = find(document, path)
  if (found === undefined) throw patchRejected()
  return found
}

function add(document: Json, path: readonly string[], value: Json): Json {
  return editParent(document, path, (parent, key) => {
    if (isObject(parent)) return { ...parent, [key]: value }
    const index = key === '-' ? parent.length : indexIn(key, parent.length)
    return parent.toSpliced(index, 0, value)
  })
}

function replace(document: Json, path: readonly string[], value: Json): Json {
  return editParent(document, path, (parent, key) => {
    if (isObject(parent)) return { ...parent, [key]: value }
    return parent.with(indexIn(key, parent.length - 1), value)
  })
}

function remove(document: Json, path: readonly string[]): Json {
  need(document, path)
  return editParent(document, path, (parent, key) => {
    if (isObject(parent)) return without(parent, key)
    return parent.toSpliced(indexIn(key, parent.length - 1), 1)
  })
}

type Parent = JsonObject | readonly Json[]

/** Copies the document with the parent of `path` changed by `edit`. */
function editParent(document: Json, path: readonly string[], edit: (parent: Parent, key: string) => Parent): Json {
  const [key = '', ...rest] = path
  if (!isObject(document) && !isList(document)) throw patchRejected()
  if (rest.length === 0) return edit(document, key)
  const changed = editParent(childOf(document, key) ?? null, rest, edit)
  return isObject(document)
    ? { ...document, [key]: changed }
    : document.with(indexIn(key, document.length - 1), changed)
}

function childOf(document: Json, key: string): Json | undefined {
  if (isObject(document)) return document[key]
  if (!isList(document)) throw patchRejected()
  return document[indexIn(key, document.length - 1)]
}

function indexIn(key: string, last: number): number {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN
  if (index <= last) return index
  throw patchRejected()
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
