import type { IncomingMessage } from 'node:http'
import { type KubeApi, KubeError, type KubeRequest } from './api.ts'
import type { WireRequest } from './connection.ts'
import { codeOfStatus, messageOfStatus, parseRetryAfter } from './failures.ts'
import type { CredentialsSource } from './follow-credentials.ts'
import { type FollowedConnection, followConnection } from './followed-connection.ts'
import { ItemReader } from './item-reader.ts'

/** A request whose answer has no end, such as a watch. */
export interface StreamRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Ends the stream. */
  readonly signal: AbortSignal
}

/** Streams of the API server, beside its plain requests. */
export interface KubeStreams {
  /**
   * Opens a stream and returns its text as it comes.
   * @throws KubeError when the server refuses or does not answer in time
   */
  stream(request: StreamRequest): Promise<AsyncIterable<string>>
}

/** The agent's client: requests and streams over kept connections. */
export interface KubeClient extends KubeApi, KubeStreams {
  close(): void
}

/** One request that has ended, for metrics. */
export interface KubeAnswer {
  readonly method: string
  /** HTTP status, or the error's code where there was no answer. */
  readonly code: string
}

export interface KubeClientOptions {
  readonly credentials: CredentialsSource
  /** `nopal/1.2.3`; the audit log shows it. */
  readonly userAgent: string
  readonly onAnswer?: (answer: KubeAnswer) => void
}

const defaultTimeoutMs = 10_000
/** More than any list the agent asks for; a server that sends more is not one to keep in memory. */
const largestBody = 32 * 2 ** 20

export function createKubeClient(options: KubeClientOptions): KubeClient {
  const connection = followConnection()
  const server = () => options.credentials.last().server
  return {
    get server() {
      return server()
    },
    async request(request) {
      const { method, path, timeoutMs = defaultTimeoutMs } = request
      const limit = limitTime(timeoutMs, request.signal, `${method} ${server()}${path}`)
      try {
        const response = await limit.race(send(options, connection, request, limit.signal))
        return await limit.race(readAnswer(response, `${method} ${path}`, request.onItem))
      } finally {
        limit.end()
      }
    },
    async stream({ path, query, signal }) {
      const limit = limitTime(defaultTimeoutMs, signal, `GET ${server()}${path}`)
      try {
        const response = await limit.race(send(options, connection, { method: 'GET', path, query }, limit.signal))
        return response.setEncoding('utf8')
      } finally {
        limit.release()
      }
    },
    close: () => connection.close(),
  }
}

/** Resolves for a 2xx only. */
async function send(
  { credentials: source, userAgent, onAnswer }: KubeClientOptions,
  connection: FollowedConnection,
  request: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, path } = request
  try {
    const credentials = await source.current()
    const wire = toWire(request, { token: credentials.token, userAgent })
    const response = await connection.to(credentials).send(wire, signal)
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) throw await toStatusError(response, `${method} ${path}`)
    onAnswer?.({ method, code: String(status) })
    return response
  } catch (error) {
    if (error instanceof KubeError) onAnswer?.({ method, code: String(error.status ?? error.code) })
    throw error
  }
}

function toWire(
  { method, path, query, body, contentType, fence }: KubeRequest,
  who: { readonly token: string | undefined; readonly userAgent: string },
): WireRequest {
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  const text = body === undefined ? undefined : JSON.stringify(body)
  return {
    method,
    target: path + search,
    headers: {
      accept: 'application/json',
      'user-agent': who.userAgent,
      ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
      ...(text === undefined ? {} : describeBody(text, contentType)),
    },
    body: text,
    fence,
  }
}

/** Node tells the length of all bodies but a deletion's; without it the server reads none, preconditions included. */
function describeBody(text: string, contentType = 'application/json'): Readonly<Record<string, string>> {
  return { 'content-type': contentType, 'content-length': String(Buffer.byteLength(text)) }
}

/** A time limit on one exchange, and the caller's own wish to end it, as one signal. */
interface TimeLimit {
  readonly signal: AbortSignal
  /** The work's result, or the limit's error as soon as it is over. */
  race<T>(work: Promise<T>): Promise<T>
  /** Ends the exchange, if it is not over. */
  end(): void
  /** Takes the time limit off and leaves the caller's signal on. */
  release(): void
}

function limitTime(timeoutMs: number, parent: AbortSignal | undefined, what: string): TimeLimit {
  const controller = new AbortController()
  const { promise: cut, reject } = Promise.withResolvers<never>()
  cut.catch(() => undefined)
  const stop = (reason: unknown) => {
    reject(reason)
    controller.abort(reason)
  }
  const onParent = () => stop(parent?.reason)
  const timer = setTimeout(
    () => stop(new KubeError('TimedOut', `${what}: no answer within ${timeoutMs} ms`)),
    timeoutMs,
  )
  if (parent?.aborted) onParent()
  parent?.addEventListener('abort', onParent, { once: true })
  return {
    signal: controller.signal,
    race: work => Promise.race([work, cut]),
    end() {
      clearTimeout(timer)
      parent?.removeEventListener('abort', onParent)
    },
    release: () => clearTimeout(timer),
  }
}

async function toStatusError(response: IncomingMessage, what: string): Promise<KubeError> {
  const status = response.statusCode ?? 0
  const said = messageOfStatus(await readBody(response, what).catch(() => ''))
  return new KubeError(codeOfStatus(status), `${what}: ${status}${said === undefined ? '' : ` ${said}`}`, {
    status,
    retryAfterMs: parseRetryAfter(response.headers['retry-after']),
  })
}

async function readAnswer(response: IncomingMessage, what: string, onItem: KubeRequest['onItem']): Promise<unknown> {
  if (onItem === undefined) return parseAnswer(await readBody(response, what), what)
  const items = new ItemReader(onItem)
  for await (const chunk of chunksOf(response.setEncoding('utf8'), what)) items.push(chunk)
  return items.end()
}

async function readBody(response: IncomingMessage, what: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of chunksOf(response, what)) {
    chunks.push(chunk)
    size += chunk.length
    if (size > largestBody) throw new KubeError('BadReply', `${what}: the answer is larger than ${largestBody} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

/** An answer that has begun and then breaks off is a bad reply, not an absent server. */
async function* chunksOf(response: IncomingMessage, what: string) {
  try {
    yield* response
  } catch (error) {
    throw new KubeError('BadReply', `${what}: the answer broke off`, { cause: error })
  }
}

function parseAnswer(body: string, what: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new KubeError('BadReply', `${what}: the answer is not JSON`)
  }
}
