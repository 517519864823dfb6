import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { createInterface } from 'node:readline'

/** Where a request goes and as whom. */
export interface ApiTarget {
  readonly url: string
  /** A UNIX socket that leads to the server, where that listens in another network namespace. */
  readonly socketPath?: string | undefined
  readonly ca: string
  readonly cert?: string
  readonly key?: string
  readonly token?: string
}

/** One request of a test. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query, escaped. */
  readonly path: string
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What the server said. */
export interface ApiAnswer {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown
}

/** One line of a watch. */
export interface WatchLine {
  readonly type: string
  readonly object: Readonly<Record<string, unknown>>
}

/** An open watch: `next` waits for a line; undefined means the server ended it. */
export interface OpenWatch {
  next(): Promise<WatchLine | undefined>
  close(): void
}

/** Who the audit log says has asked. */
export const testUserAgent = 'nopal-test'

const limitMs = 30_000

/** Sends one request; every status is an answer, only a broken exchange throws. */
export async function sendRequest(target: ApiTarget, request: ApiRequest): Promise<ApiAnswer> {
  const response = await open(target, request)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(Buffer.from(chunk))
  if (!response.complete) throw new Error(`${request.method} ${request.path}: the answer broke off`)
  const text = Buffer.concat(chunks).toString()
  return { code: response.statusCode ?? 0, headers: response.headers, body: parseBody(text) }
}

/** The API server did not do what was asked of it. */
export class ApiRefused extends Error {
  override readonly name = 'ApiRefused'
  readonly code = 'ApiRefused'
  readonly status: number

  constructor(request: ApiRequest, answer: ApiAnswer) {
    super(`${request.method} ${request.path}: ${answer.code} ${JSON.stringify(answer.body).slice(0, 500)}`)
    this.status = answer.code
  }
}

/** Whoever takes requests to an API server. */
export interface ObjectApi {
  send(request: ApiRequest): Promise<ApiAnswer>
}

/**
 * Sends a request that must succeed and returns the answer's object.
 * @throws ApiRefused
 */
export async function ask(api: ObjectApi | ApiTarget, request: ApiRequest): Promise<unknown> {
  const answer = await ('send' in api ? api.send(request) : sendRequest(api, request))
  if (answer.code >= 300) throw new ApiRefused(request, answer)
  return answer.body
}

/** Opens a watch; `path` carries `watch=true` and the rest of the query. A status other than 200 throws. */
export async function openWatch(target: ApiTarget, path: string): Promise<OpenWatch> {
  const response = await open(target, { method: 'GET', path })
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`watch ${path}: status ${response.statusCode}`)
  }
  // Nothing may happen for as long as it likes.
  response.setTimeout(0)
  const lines = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  return {
    async next() {
      const line = await lines.next()
      return line.done === true ? undefined : (JSON.parse(line.value) as WatchLine)
    },
    close: () => response.destroy(),
  }
}

async function open(target: ApiTarget, request: ApiRequest): Promise<IncomingMessage> {
  const body = bodyOf(request)
  const client = httpsRequest(new URL(request.path, target.url), {
    method: request.method,
    headers: headersOf(target, request, body),
    agent: false,
    ca: target.ca,
    timeout: limitMs,
    ...credentials(target),
  })
  client.once('timeout', () => client.destroy(new Error(`${request.method} ${request.path}: silent for ${limitMs} ms`)))
  client.end(body)
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  // From here on whoever reads the answer hears of it.
  client.on('error', error => response.destroy(error))
  return response
}

function credentials(target: ApiTarget): RequestOptions {
  const socket = target.socketPath === undefined ? {} : { socketPath: target.socketPath, servername: 'kubernetes' }
  const pair = target.cert === undefined ? {} : { cert: target.cert, key: target.key }
  return { ...socket, ...pair }
}

function headersOf(target: ApiTarget, request: ApiRequest, body: string | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    'user-agent': testUserAgent,
    ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
    ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...request.headers,
  }
}

function bodyOf(request: ApiRequest): string | undefined {
  if (request.body === undefined) return undefined
  return typeof request.body === 'string' ? request.body : JSON.stringify(request.body)
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
