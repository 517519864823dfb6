import * as v from 'valibot'
import { type Json, JsonError, parseJson } from '../../cni/spec/json.ts'
import { NetmakerError, type NetmakerErrorCode } from './errors.ts'
import type { Call, Reply } from './exchange.ts'

const envelope = v.object({ Code: v.optional(v.number()), Message: v.optional(v.string()) })
const longestWords = 200

const codes: Readonly<Record<number, NetmakerErrorCode>> = { 403: 'Forbidden', 429: 'Throttled' }

/**
 * The JSON of a 2xx, numbers as they came.
 * @param hide secrets that the server may repeat
 * @throws NetmakerError for every other answer
 */
export function readReply(call: Call, reply: Reply, hide: readonly string[]): Json {
  const what = `${call.method} ${call.path}`
  const { status, type, text } = reply
  if (status >= 300 && status <= 399) throw toRedirect(what, reply)
  // A few calls of the server have their JSON as text/plain.
  const isJson = type === 'application/json' || (type === 'text/plain' && /^\s*[[{]/.test(text))
  if (status === 404 && !isJson) throw toAbsent(call)
  if (!isJson)
    throw new NetmakerError('BadReply', `[netmaker] api-url: ${what}: ${status} ${nameType(type)}, not JSON`, {
      status,
    })
  const value = parseText(what, reply)
  const said = readEnvelope(value)
  if (isGood(status) && isGood(said.Code ?? status)) return value
  throw toRefusal(what, reply, cut(hidden(said.Message ?? '', hide)))
}

/** A few calls answer without an envelope: a list, or an object of other fields. */
function readEnvelope(value: Json): v.InferOutput<typeof envelope> {
  const said = v.safeParse(envelope, value)
  return said.success ? said.output : {}
}

/** Some replies have no code, which Go's encoder writes as 0. */
const isGood = (code: number) => code === 0 || (code >= 200 && code <= 299)

function parseText(what: string, { text, status }: Reply): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new NetmakerError('BadReply', `[netmaker] api-url: ${what}: the answer is no JSON`, { status, cause: error })
  }
}

function toRedirect(what: string, { status, location }: Reply): NetmakerError {
  const to = location === undefined ? '' : ` to ${location.replace(/[?#].*/, '').replace(/\/\/[^/]*@/, '//')}`
  return new NetmakerError('BadReply', `[netmaker] api-url: ${what}: redirected (${status})${to}`, { status })
}

function toAbsent({ method, path }: Call): NetmakerError {
  const what = `[netmaker] api-url: ${method} ${path}: 404`
  if (path.startsWith('/api/v1/egress'))
    return new NetmakerError('NoEgress', `${what}: the server has no egress rules; it must be 0.99 or newer`, {
      status: 404,
    })
  return new NetmakerError('BadReply', `${what}: there is no Netmaker API`, { status: 404 })
}

function toRefusal(what: string, { status, retryAfterMs }: Reply, words: string): NetmakerError {
  const code = codes[status] ?? (status >= 500 ? 'ServerError' : 'Refused')
  const setting = code === 'Forbidden' ? '[netmaker] username: the user has too few rights: ' : ''
  const said = words === '' ? '' : ` ${words}`
  return new NetmakerError(code, `${setting}${what}: ${status}${said}`, { status, retryAfterMs })
}

const nameType = (type: string) => (type === '' ? 'without a content type' : `with ${cut(type)}`)
const cut = (words: string) => (words.length > longestWords ? `${words.slice(0, longestWords)}...` : words)

function hidden(words: string, secrets: readonly string[]): string {
  return secrets.filter(secret => secret !== '').reduce((text, secret) => text.replaceAll(secret, '[secret]'), words)
}
