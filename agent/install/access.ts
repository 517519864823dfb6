import * as v from 'valibot'
import type { KubeApi } from '../kube/api.ts'
import type { KubeCredentials } from '../kube/credentials.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import type { Clock } from '../runtime/clock.ts'
import { messageOf } from '../runtime/error-fields.ts'
import { InstallError } from './errors.ts'
import type { KactusAccess } from './kubeconfig.ts'

/** What kactus' access is made from. */
export interface AccessOptions {
  readonly credentials: CredentialsSource
  readonly kube: KubeApi
  /** Namespace of the ServiceAccount `kactus`. */
  readonly namespace: string
  readonly clock: Pick<Clock, 'monotonic'>
}

/** Gives kactus' access as it should be now. */
export type AccessSource = (signal: AbortSignal) => Promise<KactusAccess>

/** Long enough that a node goes on starting pods while the API or the agent is away for most of a day. */
const tokenSeconds = 24 * 60 * 60
/** Short enough that a ServiceAccount that was made anew, which voids its tokens, hurts for an hour at most. */
const renewMs = 60 * 60 * 1000

const tokenShape = v.object({ status: v.object({ token: v.pipe(v.string(), v.nonEmpty()) }) })

/**
 * Outside a pod kactus gets what the agent has. In a pod it gets a token of its own account: the agent's is
 * bound to the agent's pod and would die with it, and may do more than kactus needs.
 */
export function createAccessSource(options: AccessOptions): AccessSource {
  let known: { token: string; renewAt: number } | undefined
  return async signal => {
    const credentials = await options.credentials.current()
    const { token, clientCertPem, clientKeyPem } = credentials
    if (credentials.source === 'kubeconfig') return { ...reach(credentials), token, clientCertPem, clientKeyPem }
    const now = options.clock.monotonic()
    if (known === undefined || now >= known.renewAt) {
      known = { token: await requestToken(options, signal), renewAt: now + renewMs }
    }
    return { ...reach(credentials), token: known.token, clientCertPem: undefined, clientKeyPem: undefined }
  }
}

/** Where the API is, without who asks. */
export function reach(credentials: KubeCredentials): Omit<KactusAccess, 'token' | 'clientCertPem' | 'clientKeyPem'> {
  const { server, caPem, tlsServerName, insecure, proxy } = credentials
  return { server, caPem, tlsServerName, insecure, ...(proxy && { proxyUrl: proxy.url }) }
}

async function requestToken({ kube, namespace }: AccessOptions, signal: AbortSignal): Promise<string> {
  const account = `${namespace}/kactus`
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/kactus/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: tokenSeconds },
  }
  const reply = await kube.request({ method: 'POST', path, body, signal }).catch(error => {
    throw new InstallError('NoToken', `no token for ServiceAccount ${account}: ${messageOf(error)}`, error)
  })
  const parsed = v.safeParse(tokenShape, reply)
  if (!parsed.success) throw new InstallError('NoToken', `the reply to a TokenRequest for ${account} has no token`)
  return parsed.output.status.token
}
