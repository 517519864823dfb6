import { Agent, type RequestOptions, request } from 'node:https'
import { type Json, JsonError, parseJson } from '../spec/json.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** Reads objects of the Kubernetes API. */
export interface KubeReader {
  /**
   * @param path below the server, each part already escaped
   * @returns the object; undefined = there is none of that name
   * @throws KubeReadError
   */
  get(path: string): Promise<Json | undefined>
}

export class KubeReadError extends Error {
  override readonly name = 'KubeReadError'
  readonly code: 'Unreachable' | 'TimedOut' | 'Status' | 'BadReply'

  constructor(code: KubeReadError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** No object in etcd is larger than a few MiB. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
/** Enough to read side by side; each new connection costs a TLS handshake. */
const MAX_CONNECTIONS = 4

/** GETs over HTTPS, on connections that are kept. It follows no redirect, so nobody else ever gets the token. */
export class HttpsKubeReader implements KubeReader {
  readonly #access: KubeAccess
  readonly #signal: AbortSignal
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS })

  /** @param signal ends every request when the time for all of them is over */
  constructor(access: KubeAccess, signal: AbortSignal) {
    this.#access = access
    this.#signal = signal
  }

  async get(path: string): Promise<Json | undefined> {
    const { status, body } = await this.#exchange(path)
    if (status === 404) return undefined
    if (status !== 200) throw new KubeReadError('Status', `${this.#server()} answered ${status} to GET ${path}`)
    try {
      return parseJson(body)
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      throw new KubeReadError('BadReply', `${this.#server()} answered no JSON to GET ${path}`, { cause: error })
    }
  }

  #exchange(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(this.#failure(error))
      const call = request(this.#options(path), response => {
        const chunks: Buffer[] = []
        let total = 0
        response.on('data', (chunk: Buffer) => {
          total += chunk.length
          if (total > MAX_BODY_BYTES) call.destroy(new Error('its answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        // Half a body ends here, not with `end`.
        response.on('aborted', () => fail(new Error('its answer broke off')))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
      })
      call.on('error', fail)
      call.end()
    })
  }

  #options(path: string): RequestOptions {
    const { server, ca, token, clientCertificate, clientKey, serverName, skipsVerification } = this.#access
    return {
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port || 443,
      path: `${server.pathname.replace(/\/$/, '')}${path}`,
      agent: this.#agent,
      signal: this.#signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'kactus',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(ca !== undefined && { ca }),
      ...(clientCertificate !== undefined && { cert: clientCertificate }),
      ...(clientKey !== undefined && { key: clientKey }),
      ...(serverName !== undefined && { servername: serverName }),
      rejectUnauthorized: !skipsVerification,
    }
  }

  #failure(error: NodeJS.ErrnoException): KubeReadError {
    if (this.#signal.aborted) {
      return new KubeReadError('TimedOut', `${this.#server()} did not answer in time`, { cause: error })
    }
    const why = error.code ?? error.message
    return new KubeReadError('Unreachable', `${this.#server()} cannot be reached: ${why}`, { cause: error })
  }

  #server(): string {
    return `the API server ${this.#access.server.host}`
  }
}
