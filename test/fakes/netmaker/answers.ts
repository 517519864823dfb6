import type { FakeAnswer } from './faults.ts'
import type { FakeState, FakeUser, Json } from './state.ts'

/** One call as its handler sees it. */
export interface FakeCall {
  readonly method: string
  readonly query: URLSearchParams
  /** Parts of the path that the route leaves open. */
  readonly parts: readonly string[]
  readonly text: string
  readonly state: FakeState
  /** Who asks; undefined on the routes that ask for no login. */
  readonly user: string
}

export type FakeHandler = (call: FakeCall) => FakeAnswer

const json = 'application/json'
const plain = 'text/plain; charset=utf-8'

export const bare = (body: unknown, status = 200): FakeAnswer => ({ status, type: json, body: toGoJson(body) })
/** JSON that the server calls text. */
export const mislabelled = (body: unknown): FakeAnswer => ({ status: 200, type: plain, body: toGoJson(body) })
export const envelope = (message: string, response: unknown, status = 200): FakeAnswer =>
  bare({ Code: status, Message: message, Response: response }, status)
export const refuse = (status: number, message: string): FakeAnswer => envelope(message, null, status)
export const nothing: FakeAnswer = { status: 200, type: null, body: '' }
export const text = (status: number, body: string): FakeAnswer => ({ status, type: plain, body })

/** Go's encoder escapes what HTML would read. */
function toGoJson(value: unknown): string {
  const escaped = (char: string) => `\\u00${char.charCodeAt(0).toString(16)}`
  return JSON.stringify(value).replace(/[<>&]/g, escaped)
}

/** The body as an object; undefined for anything else. */
export function objectOf(call: FakeCall): Json | undefined {
  try {
    const value: unknown = JSON.parse(call.text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The user of a name, however it is. */
export function userOf({ state }: FakeCall, name: unknown): FakeUser | undefined {
  return state.users.get(textOf(name))
}
