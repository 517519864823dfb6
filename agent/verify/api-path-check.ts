import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { type Check, CheckFault, skipped } from './check.ts'

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
    dependsOn: [],
    limitMs,
    overdue: 'TimedOut',
    async run(probe) {
      if (api === undefined) return [skipped('Kubernetes API', 'NoCluster', 'no cluster is known')]
      const ask = async () => {
        await probe.within(createTlsHandshake(async () => api))
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
export type TlsHandshake = (signal: AbortSignal) => Promise<void>

/** What TLS needs is made once for a place: a fresh one for each handshake costs the process a megabyte that it never gets back. */
export function createTlsHandshake(findApi: () => Promise<ApiPlace>): TlsHandshake {
  let made: { readonly place: string; readonly dial: Dial } | undefined
  return async signal => {
    signal.throwIfAborted()
    const { server, caPem, tlsServerName, insecure } = await findApi()
    const api: ApiPlace = { server, caPem, tlsServerName, insecure }
    const place = JSON.stringify(api)
    if (made?.place !== place) made = { place, dial: createDial(api) }
    await shakeHands(made.dial(), signal)
  }
}

async function shakeHands({ socket, ready }: Dialled, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
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
interface Dialled {
  readonly socket: Socket
  readonly ready: 'connect' | 'secureConnect'
}

type Dial = () => Dialled

function createDial({ server, insecure, caPem, tlsServerName }: ApiPlace): Dial {
  const { protocol, hostname, port } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return () => ({ socket: connectTcp({ host, port: Number(port || 80) }), ready: 'connect' })
  const how = {
    host,
    port: Number(port || 443),
    rejectUnauthorized: !insecure,
    secureContext: createSecureContext(caPem === undefined ? {} : { ca: caPem }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  }
  return () => ({ socket: connectTls(how), ready: 'secureConnect' })
}
