import type { RequestOptions } from 'node:https'
import { byEngine } from '../host/engine.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** An answer of the server, whatever it says. */
export interface HttpsAnswer {
  readonly status: number
  readonly body: string
}

/** GETs over HTTPS, on connections that are kept. It follows no redirect, so nobody else ever gets the token. */
export interface HttpsGetter {
  /**
   * @param maxBytes of the answer's body
   * @throws AnswerTooLarge, or any error where no whole answer came
   */
  get(path: string, maxBytes: number): Promise<HttpsAnswer>
}

/** The answer goes on beyond the limit; what came of it is let go. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
  readonly code = 'TooLarge'
}

/** @param signal ends all of it */
export const openHttps = byEngine<(access: KubeAccess, signal: AbortSignal) => HttpsGetter>({
  bun: () => (access, signal) => new FetchGetter(access, signal),
  node: () => (access, signal) => new NodeGetter(access, signal),
})

/** The headers of each request. */
function headersFor({ token }: KubeAccess): Record<string, string> {
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return { accept: 'application/json', 'user-agent': 'kactus', ...bearer }
}

/** What Bun's fetch takes beside what the standard has. */
interface BunFetchOptions extends RequestInit {
  readonly tls: Readonly<Record<string, unknown>>
  /** Otherwise Bun takes one from the environment, and whoever sets that gets to see whom we talk to. */
  readonly proxy: false
}

/** GETs by Bun's own means. */
class FetchGetter implements HttpsGetter {
  readonly #access: KubeAccess
  readonly #options: BunFetchOptions

  constructor(access: KubeAccess, signal: AbortSignal) {
    const { caPem, clientCertPem, clientKeyPem, tlsServerName, insecure } = access
    this.#access = access
    this.#options = {
      signal,
      redirect: 'manual',
      proxy: false,
      headers: headersFor(access),
      tls: {
        rejectUnauthorized: !insecure,
        ...(caPem !== undefined && { ca: caPem }),
        ...(clientCertPem !== undefined && { cert: clientCertPem }),
        ...(clientKeyPem !== undefined && { key: clientKeyPem }),
        ...(tlsServerName !== undefined && { serverName: tlsServerName }),
      },
    }
  }

  async get(path: string, maxBytes: number): Promise<HttpsAnswer> {
    const { server } = this.#access
    const url = `${server.origin}${server.pathname.replace(/\/$/, '')}${path}`
    const response = await fetch(url, this.#options)
    return { status: response.status, body: await bodyOf(response, maxBytes) }
  }
}

async function bodyOf(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let total = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    total += part.value.length
    if (total > maxBytes) {
      void reader?.cancel().catch(() => undefined)
      throw new AnswerTooLarge()
    }
    chunks.push(part.value)
  }
  return Buffer.concat(chunks).toString()
}

/** Enough to read side by side; each new connection costs a TLS handshake. */
const MAX_CONNECTIONS = 4

/** Answers that may wait to be collected: those of any usual pod. */
const MAX_HELD_BYTES = 4 * 1024 * 1024

/** GETs by Node's own means. */
class NodeGetter implements HttpsGetter {
  readonly #access: KubeAccess
  readonly #signal: AbortSignal
  #heldBytes = 0
  #collect: (() => void) | undefined
  readonly #https = process.getBuiltinModule('node:https')
  readonly #agent = new this.#https.Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS })

  constructor(access: KubeAccess, signal: AbortSignal) {
    this.#access = access
    this.#signal = signal
  }

  get(path: string, maxBytes: number): Promise<HttpsAnswer> {
    return new Promise((resolve, reject) => {
      const call = this.#https.request(this.#options(path), response => {
        const chunks: Buffer[] = []
        let total = 0
        response.on('data', (chunk: Buffer) => {
          total += chunk.length
          if (total > maxBytes) call.destroy(new AnswerTooLarge())
          else chunks.push(chunk)
        })
        response.on('error', reject)
        // Half a body ends here, not with `end`.
        response.on('aborted', () => reject(new Error('its answer broke off')))
        response.on('end', () => {
          this.#release(total)
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
        })
      })
      call.on('error', reject)
      call.end()
    })
  }

  /** V8 looks at what lies outside of its heap only when that is 64 MB, more than all the rest of a run. */
  #release(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#heldBytes < MAX_HELD_BYTES) return
    this.#heldBytes = 0
    this.#collect ??= findCollector()
    this.#collect()
  }

  #options(path: string): RequestOptions {
    const { server, caPem, clientCertPem, clientKeyPem, tlsServerName, insecure } = this.#access
    return {
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port || 443,
      path: `${server.pathname.replace(/\/$/, '')}${path}`,
      agent: this.#agent,
      signal: this.#signal,
      headers: headersFor(this.#access),
      ...(caPem !== undefined && { ca: caPem }),
      ...(clientCertPem !== undefined && { cert: clientCertPem }),
      ...(clientKeyPem !== undefined && { key: clientKeyPem }),
      ...(tlsServerName !== undefined && { servername: tlsServerName }),
      rejectUnauthorized: !insecure,
    }
  }
}

function findCollector(): () => void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  const collect: unknown = process.getBuiltinModule('node:vm').runInNewContext('gc')
  return typeof collect === 'function' ? () => void collect() : () => undefined
}
