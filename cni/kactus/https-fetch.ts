import { AnswerTooLarge, type HttpsAnswer, type HttpsGetter, headersFor } from './https-getter.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** What Bun's fetch takes beside what the standard has. */
interface BunFetchOptions extends RequestInit {
  readonly tls: Readonly<Record<string, unknown>>
  /** Otherwise Bun takes one from the environment, and whoever sets that gets to see whom we talk to. */
  readonly proxy: false
}

/** GETs by Bun's own means. */
export class FetchGetter implements HttpsGetter {
  readonly #access: KubeAccess
  readonly #options: BunFetchOptions

  constructor(access: KubeAccess, signal: AbortSignal) {
    const { ca, clientCertificate, clientKey, serverName, skipsVerification } = access
    this.#access = access
    this.#options = {
      signal,
      redirect: 'manual',
      proxy: false,
      headers: headersFor(access),
      tls: {
        rejectUnauthorized: !skipsVerification,
        ...(ca !== undefined && { ca }),
        ...(clientCertificate !== undefined && { cert: clientCertificate }),
        ...(clientKey !== undefined && { key: clientKey }),
        ...(serverName !== undefined && { serverName }),
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
