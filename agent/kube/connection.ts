import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as startHttp } from 'node:http'
import { Agent as HttpsAgent, request as startHttps } from 'node:https'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { KubeError } from './api.ts'
import type { KubeCredentials } from './credentials.ts'
import { codeOf, toConnectionError } from './failures.ts'

/** One HTTP exchange as it goes over the wire. */
export interface WireRequest {
  readonly method: string
  /** Below the server, query included. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Called when the connection stands and the request would leave; what it throws keeps it back. */
  readonly fence: (() => void) | undefined
}

/** Connections to one server, kept open between requests. */
export interface Connection {
  /**
   * Sends and waits for the answer's headers. Aborting the signal also cuts the body.
   * @throws KubeError Unreachable, TLSFailed or TimedOut, or the signal's reason, or what the fence throws
   */
  send(request: WireRequest, signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

/** Unused connections are dropped before servers and routers forget them in silence. */
const idleSocketMs = 60_000

/** @throws KubeError TLSFailed where certificate, key or authorities cannot be used */
export function openConnection(credentials: KubeCredentials): Connection {
  const base = new URL(credentials.server)
  const pooled = { keepAlive: true, timeout: idleSocketMs }
  const secure = base.protocol === 'https:'
  const straight = () => (secure ? new HttpsAgent(pooled) : new HttpAgent(pooled))
  const agent = credentials.proxy?.agent ?? straight()
  // One for all connections: each watch that opens anew would make its own.
  const tls = secure ? { secureContext: createContext(credentials), ...tlsOptions(credentials) } : {}
  const prefix = base.pathname.replace(/\/+$/, '')
  const start = secure ? startHttps : startHttp
  const once = (request: WireRequest, signal: AbortSignal) => {
    const { method, headers } = request
    const call = start(new URL(prefix + request.target, base), {
      method,
      headers,
      agent,
      signal,
      ...tls,
    })
    if (request.fence === undefined) call.end(request.body)
    else endBehind(request.fence, call, request.body)
    return headersOf(call, `${method} ${base.origin}${request.target.replace(/\?.*/, '')}`)
  }
  return {
    async send(request, signal) {
      signal.throwIfAborted()
      try {
        return await once(request, signal)
      } catch (error) {
        signal.throwIfAborted()
        request.fence?.()
        // The server may close a kept connection at the very moment we use it. Asking again is safe only for reads.
        if (request.method === 'GET' && error instanceof StaleSocketError) return once(request, signal)
        throw error
      }
    },
    close: () => agent.destroy(),
  }
}

/** Whoever was paused while the connection was made would send, on waking, what is not to be sent any more. */
function endBehind(fence: () => void, call: ClientRequest, body: string | undefined): void {
  const end = () => {
    try {
      fence()
      call.end(body)
    } catch {
      // It is asked again for why.
      call.destroy()
    }
  }
  call.once('socket', socket => {
    const secure = socket instanceof TLSSocket
    const stands = secure ? socket.getCipher() !== undefined : !socket.connecting
    if (stands) end()
    else socket.once(secure ? 'secureConnect' : 'connect', end)
  })
}

/** A kept connection turned out to be closed before any answer came. */
class StaleSocketError extends KubeError {}

function headersOf(call: ClientRequest, what: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve)
    call.on('error', error => {
      const failure = toConnectionError(error, what)
      const stale = call.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error))
      reject(stale ? new StaleSocketError(failure.code, failure.message, { cause: error }) : failure)
    })
  })
}

function tlsOptions({ tlsServerName, insecure }: KubeCredentials) {
  return { rejectUnauthorized: !insecure, ...(tlsServerName === undefined ? {} : { servername: tlsServerName }) }
}

function createContext({ caPem, clientCertPem, clientKeyPem }: KubeCredentials): SecureContext {
  try {
    return createSecureContext({
      ...(caPem === undefined ? {} : { ca: caPem }),
      ...(clientCertPem === undefined ? {} : { cert: clientCertPem }),
      ...(clientKeyPem === undefined ? {} : { key: clientKeyPem }),
    })
  } catch (error) {
    throw new KubeError('TLSFailed', `the credentials cannot be used for TLS (${codeOf(error)})`, { cause: error })
  }
}
