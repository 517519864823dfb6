import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Check } from './check.ts'
import { CheckFault } from './check.ts'
import { severityOf } from './severity.ts'

/** Where the API is and how its certificate is known. */
export interface ApiPlace {
  /** `https://HOST:PORT`, or `http:` where a relay stands before it. */
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

/**
 * Connects to the API and makes sure by its certificate that it is ours.
 * @throws CheckFault: Unreachable, TLSFailed, or TimedOut when the signal fires first
 */
export async function shakeHands(api: ApiPlace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { socket, ready } = dial(api)
  let connected = false
  const onAbort = () => {
    const where = connected ? 'it accepts connections, but TLS gets no answer' : 'no answer'
    reject(new CheckFault('TimedOut', `${where} in time`, signal.reason))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('connect', () => {
    connected = true
  })
  socket.on(ready, () => resolve())
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

/** A socket on its way, and the event that says it has all that was wanted. */
function dial({ server, insecure, caPem, tlsServerName }: ApiPlace): { socket: Socket; ready: string } {
  const { protocol, hostname, port } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return { socket: connectTcp({ host, port: Number(port || 80) }), ready: 'connect' }
  const socket = connectTls({
    host,
    port: Number(port || 443),
    rejectUnauthorized: !insecure,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  })
  return { socket, ready: 'secureConnect' }
}
