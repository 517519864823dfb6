/** Any JSON value; the server never changes one it has made. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** True for `{...}`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object; `{}` for anything else. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** The value as a list; `[]` for anything else. */
export function asList(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** The value as text; `''` for anything else. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The value at a dotted path such as `spec.nodeName`. */
export function valueAt(object: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, key) => asObject(value)[key], object)
}

/** True if both are the same JSON; the order of keys does not count, and an absent key is not null. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  }
  if (!isObject(a) || !isObject(b)) return a === b
  const keys = Object.keys(a).filter(key => a[key] !== undefined)
  const others = Object.keys(b).filter(key => b[key] !== undefined)
  return keys.length === others.length && keys.every(key => isSame(a[key], b[key]))
}

/** The object without one key. */
export function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _gone, ...rest } = object
  return rest
}
