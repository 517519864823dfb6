/** A value of a JSON document whose numbers keep every byte they were written with. */
export type Json = null | boolean | number | string | RawNumber | JsonArray | JsonObject
export type JsonArray = readonly Json[]
export interface JsonObject {
  readonly [key: string]: Json
}

/** A number that a double would change (2^53 and up, `1.0`, `1e3`); `JSON.stringify` prints its text as it was. */
export interface RawNumber {
  readonly rawJSON: string
}

/** The text is no JSON, or nests deeper than any configuration does. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code = 'BadJson'
}

// Not yet in TypeScript's library; both engines have it.
interface SourceAccess {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): boolean
}
const exact = JSON as unknown as SourceAccess

const MAX_DEPTH = 100

/**
 * Reads a JSON document without changing a number in it.
 * @throws JsonError
 */
export function parseJson(text: string): Json {
  // Before the engine's parser: what a reviver or a later walk would recurse into must be bounded.
  const { depth, isPlain } = surveyJson(text)
  if (depth > MAX_DEPTH) throw new JsonError(`JSON nests deeper than ${MAX_DEPTH} levels`)
  try {
    // With a reviver that asks for sources the engine keeps twice the memory: only for whom it matters.
    return isPlain ? (JSON.parse(text) as Json) : (exact.parse(text, keepNumber) as Json)
  } catch (error) {
    throw new JsonError(error instanceof Error ? error.message : 'no JSON', { cause: error })
  }
}

/**
 * The same, where what is no JSON is a fault of the caller's own.
 * @throws what `faultOf` makes of it
 */
export function parseJsonOr(text: string, faultOf: (error: JsonError) => Error): Json {
  try {
    return parseJson(text)
  } catch (error) {
    throw error instanceof JsonError ? faultOf(error) : error
  }
}

/** Prints what parseJson read, numbers as they were. */
export function printJson(value: Json): string {
  return JSON.stringify(value)
}

export function isRawNumber(value: unknown): value is RawNumber {
  return exact.isRawJSON(value)
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !exact.isRawJSON(value)
}

/** The value of a key that the object itself has; `__proto__` and friends are keys like any other. */
export function field(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** A copy without some keys. */
export function without(object: JsonObject, drop: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !drop(key)))
}

/** Deep equality of two documents; the order of keys does not count. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

function keepNumber(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined || String(value) === context.source) return value
  return exact.rawJSON(context.source)
}

/** What can be told of a text without parsing it. Of a text that is no JSON it means nothing. */
export interface JsonSurvey {
  readonly depth: number
  /** Objects, lists, texts, numbers and words, at least; keys not counted. */
  readonly values: number
  /** No number in it would be changed by a double. */
  readonly isPlain: boolean
}

export function surveyJson(text: string): JsonSurvey {
  let [depth, deepest, values, isPlain] = [0, 0, 1, true]
  for (let at = 0; at < text.length && deepest <= MAX_DEPTH; at++) {
    const char = text.charAt(at)
    if (char === '"') at = endOfString(text, at)
    else if (char === ',') values++
    else if (DIGITS.test(char)) {
      const number = numberAt(text, at)
      isPlain &&= String(Number(number)) === number
      at += number.length - 1
    } else depth += STEPS[char] ?? 0
    deepest = Math.max(deepest, depth)
  }
  return { depth: deepest, values, isPlain }
}

const STEPS: Readonly<Record<string, number>> = { '[': 1, '{': 1, ']': -1, '}': -1 }
const DIGITS = /[-\d]/
const NUMBER = /[-+.\deE]+/y

function numberAt(text: string, at: number): string {
  NUMBER.lastIndex = at
  return NUMBER.exec(text)?.[0] ?? ''
}

/** Where the quote is that ends a text; the end of all where there is none. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at < 0 ? text.length : at
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote
  while (text[at - 1] === '\\') at--
  return (quote - at) % 2 === 1
}
