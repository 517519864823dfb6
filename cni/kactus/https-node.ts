import { Agent, type RequestOptions, request } from 'node:https'
import { AnswerTooLarge, type HttpsAnswer, type HttpsGetter, headersFor } from './https-getter.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** Enough to read side by side; each new connection costs a TLS handshake. */
const MAX_CONNECTIONS = 4

/** GETs by Node's own means. */
export class NodeGetter implements HttpsGetter {
  readonly #access: KubeAccess
  readonly #signal: AbortSignal
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
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
      })
      call.on('error', reject)
      call.end()
    })
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
