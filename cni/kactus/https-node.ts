import { Agent, type RequestOptions, request } from 'node:https'
import { AnswerTooLarge, type HttpsAnswer, type HttpsGetter, headersFor } from './https-getter.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** Enough to read side by side; each new connection costs a TLS handshake. */
const MAX_CONNECTIONS = 4

/** Answers that may wait to be collected: those of any usual pod. */
const MAX_HELD_BYTES = 4 * 1024 * 1024

/** GETs by Node's own means. */
export class NodeGetter implements HttpsGetter {
  readonly #access: KubeAccess
  readonly #signal: AbortSignal
  #heldBytes = 0
  #collect: (() => void) | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS })

  constructor(access: KubeAccess, signal: AbortSignal) {
    this.#access = access
    this.#signal = signal
  }

  get(path: string, maxBytes: number): Promise<HttpsAnswer> {
    return new Promise((resolve, reject) => {
      const call = request(this.#options(path), response => {
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
    const { server, ca, clientCertificate, clientKey, serverName, skipsVerification } = this.#access
    return {
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port || 443,
      path: `${server.pathname.replace(/\/$/, '')}${path}`,
      agent: this.#agent,
      signal: this.#signal,
      headers: headersFor(this.#access),
      ...(ca !== undefined && { ca }),
      ...(clientCertificate !== undefined && { cert: clientCertificate }),
      ...(clientKey !== undefined && { key: clientKey }),
      ...(serverName !== undefined && { servername: serverName }),
      rejectUnauthorized: !skipsVerification,
    }
  }
}

function findCollector(): () => void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  const collect: unknown = process.getBuiltinModule('node:vm').runInNewContext('gc')
  return typeof collect === 'function' ? () => void collect() : () => undefined
}
