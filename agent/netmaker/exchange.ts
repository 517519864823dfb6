import type { IncomingMessage } from 'node:http'
import { KubeError } from '../kube/api.ts'
import { type Connection, openConnection } from '../kube/connection.ts'
import { parseRetryAfter } from '../kube/failures.ts'
import { NetmakerError, type NetmakerErrorCode } from './errors.ts'

/** One HTTP call to the server. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the base URL: `/api/hosts`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body?: string
  /** Called at the moment at which the call leaves; what it throws keeps it back. */
  readonly fence?: () => void
}

/** An answer of any status, with all of its body. */
export interface Reply {
  readonly status: number
  /** Media type without parameters, lower case; empty where none was sent. */
  readonly type: string
  readonly text: string
  readonly retryAfterMs: number | undefined
  /** Where a redirect points. */
  readonly location: string | undefined
}

export interface ExchangeOptions {
  /** Without a slash at the end. */
  readonly baseUrl: string
  /** Milliseconds for each call. */
  readonly timeoutMs: number
  readonly userAgent: string
}

/** Calls over kept connections. */
export interface Exchange {
  /**
   * Sends one call; a redirect is an answer like any other.
   * @throws NetmakerError where there is no whole answer; the signal's reason; what the fence throws
   */
  send(call: Call, token: string | undefined, signal: AbortSignal): Promise<Reply>
  close(): void
}

/** Five times what 5,000 nodes take; a server that sends more is not one to keep in memory. */
const largestBody = 64 * 2 ** 20

export function openExchange({ baseUrl, timeoutMs, userAgent }: ExchangeOptions): Exchange {
  const nobody = { token: undefined, clientCertPem: undefined, clientKeyPem: undefined }
  const checked = { caPem: undefined, tlsServerName: undefined, insecure: false }
  // The machine's own authorities, and those of NODE_EXTRA_CA_CERTS.
  const connection = openConnection({ source: 'kubeconfig', server: baseUrl, ...checked, ...nobody })
  return {
    async send(call, token, signal) {
      const limit = AbortSignal.timeout(timeoutMs)
      const both = AbortSignal.any([signal, limit])
      try {
        return await exchange(connection, { call, token, userAgent }, both)
      } catch (error) {
        signal.throwIfAborted()
        const what = `${call.method} ${baseUrl}${call.path}`
        if (limit.aborted) throw new NetmakerError('TimedOut', `${what}: no answer within ${timeoutMs} ms`)
        throw error instanceof KubeError ? toNetmakerError(error) : error
      }
    },
    close: () => connection.close(),
  }
}

interface Sending {
  readonly call: Call
  readonly token: string | undefined
  readonly userAgent: string
}

async function exchange(connection: Connection, sending: Sending, signal: AbortSignal): Promise<Reply> {
  const { call, token, userAgent } = sending
  const search = call.query === undefined ? '' : `?${new URLSearchParams(call.query)}`
  const headers = {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const wire = { method: call.method, target: call.path + search, headers, body: call.body, fence: call.fence }
  const response = await connection.send(wire, signal)
  return {
    status: response.statusCode ?? 0,
    type: (response.headers['content-type'] ?? '').replace(/;.*/, '').trim().toLowerCase(),
    text: await readText(response, `${call.method} ${call.path}`),
    retryAfterMs: parseRetryAfter(response.headers['retry-after']),
    location: response.headers.location,
  }
}

async function readText(response: IncomingMessage, what: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk)
      size += chunk.length
      if (size > largestBody) break
    }
  } catch (cause) {
    throw new NetmakerError('BadReply', `${what}: the answer broke off`, { cause })
  }
  if (size > largestBody) throw new NetmakerError('BadReply', `${what}: the answer is larger than ${largestBody} bytes`)
  return Buffer.concat(chunks).toString()
}

/** The connection is the one that the API server is reached by; it knows three ways to fail. */
function toNetmakerError(error: KubeError): NetmakerError {
  const codes: Readonly<Record<string, NetmakerErrorCode>> = { TLSFailed: 'TLSFailed', TimedOut: 'TimedOut' }
  return new NetmakerError(codes[error.code] ?? 'Unreachable', `[netmaker] api-url: ${error.message}`, { cause: error })
}
