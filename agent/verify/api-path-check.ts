import { connect } from 'node:tls'
import type { Check } from './check.ts'
import { CheckFault } from './check.ts'
import { severityOf } from './severity.ts'

/** Where the API is and how its certificate is known. */
export interface ApiPlace {
  /** `https://HOST:PORT`. */
  readonly server: string
  readonly caPem: string | undefined
  readonly tlsServerName: string | undefined
  readonly insecure: boolean
}

/** What the check asks for. */
export interface ApiPathCheckOptions {
  readonly limitMs: number
  /** undefined = no cluster is known. */
  readonly api: ApiPlace | undefined
}

/**
 * The API from a pod's network: the way there, and that it is our API which answers. Who we are does not depend on the
 * place, so the host's check proves that, and this one costs the API no request.
 */
export function createApiPathCheck({ limitMs, api }: ApiPathCheckOptions): Check {
  return {
    code: 'api',
    title: 'Kubernetes API',
    severity: severityOf('api'),
    dependsOn: [],
    limitMs,
    overdue: 'TimedOut',
    async run(probe) {
      if (api === undefined) {
        const message = 'no cluster is known'
        return [{ target: 'Kubernetes API', result: 'skip', reason: 'NoCluster', message, seconds: 0 }]
      }
      const ask = async () => {
        await probe.within(signal => shakeHands(api, signal))
        return { result: 'pass', message: 'answers with its own certificate' } as const
      }
      return [await probe.find(api.server, ask)]
    },
  }
}

/** @throws CheckFault: Unreachable, TLSFailed, or TimedOut when the signal fires first */
async function shakeHands(api: ApiPlace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const url = new URL(api.server)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: !api.insecure,
    ...(api.caPem === undefined ? {} : { ca: api.caPem }),
    ...(api.tlsServerName === undefined ? {} : { servername: api.tlsServerName }),
  })
  let connected = false
  const onAbort = () => {
    const where = connected ? 'it accepts connections, but TLS gets no answer' : 'no answer'
    reject(new CheckFault('TimedOut', `${where} in time`, signal.reason))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('connect', () => {
    connected = true
  })
  socket.on('secureConnect', () => resolve())
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const code = error.code ?? error.message
    reject(new CheckFault(connected ? 'TLSFailed' : 'Unreachable', `${connected ? 'TLS' : 'connect'}: ${code}`, error))
  })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}
