import * as v from 'valibot'
import { messageOf } from '../../cni/host/system-error.ts'
import type { KubeApi } from '../kube/api.ts'
import type { KubeCredentials } from '../kube/credentials.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import type { Clock } from '../runtime/clock.ts'
import { InstallError } from './errors.ts'
import type { KactusAccess } from './kubeconfig.ts'

/** What kactus' access is made from. */
export interface AccessOptions {
  readonly credentials: CredentialsSource
  readonly kube: KubeApi
  /** Namespace of the ServiceAccount `kactus`. */
  readonly namespace: string
  readonly node: TokenNode
  readonly clock: Pick<Clock, 'monotonic'>
}

/** The Node that a token is bound to: without it the token is void. */
export interface TokenNode {
  readonly name: string
  /** Of the Node that is there now; undefined = not known. */
  uid(): string | undefined
}

/** Gives kactus' access as it should be now. */
export type AccessSource = (signal: AbortSignal) => Promise<KactusAccess>

/** As long as the admission policy lets a token live: one that is stolen is worth little. */
const tokenSeconds = 60 * 60
/** Renewed in the first third, so that a token outlives a restart of the agent and an API server that is away. */
const renewAfterMs = (seconds: number) => (seconds * 1000) / 3

const tokenShape = v.object({
  // A server may grant less than it was asked for.
  spec: v.optional(v.object({ expirationSeconds: v.optional(v.pipe(v.number(), v.minValue(1)), tokenSeconds) }), {}),
  status: v.object({ token: v.pipe(v.string(), v.nonEmpty()) }),
})

/**
 * Outside a pod kactus gets what the agent has. In a pod it gets a token of its own account: the agent's is
 * bound to the agent's pod and would die with it, and may do more than kactus needs.
 */
export function createAccessSource(options: AccessOptions): AccessSource {
  let known: KnownToken | undefined
  return async signal => {
    const credentials = await options.credentials.current()
    const { token, clientCertPem, clientKeyPem } = credentials
    if (credentials.source === 'kubeconfig') return { ...reach(credentials), token, clientCertPem, clientKeyPem }
    const now = options.clock.monotonic()
    const nodeUid = options.node.uid()
    if (known === undefined || now >= known.renewAt || isForAnother(known, nodeUid)) {
      const { token, seconds } = await requestToken(options, signal)
      known = { token, renewAt: now + renewAfterMs(seconds), nodeUid }
    }
    known.nodeUid ??= nodeUid
    return { ...reach(credentials), token: known.token, clientCertPem: undefined, clientKeyPem: undefined }
  }
}

interface KnownToken {
  readonly token: string
  readonly renewAt: number
  /** Of the Node it is bound to; undefined = not known yet. */
  nodeUid: string | undefined
}

/** A Node that was deleted and made anew takes the tokens bound to it along. */
function isForAnother({ nodeUid }: KnownToken, now: string | undefined): boolean {
  return nodeUid !== undefined && now !== undefined && nodeUid !== now
}

/** Where the API is, without who asks. */
export function reach(credentials: KubeCredentials): Omit<KactusAccess, 'token' | 'clientCertPem' | 'clientKeyPem'> {
  const { server, caPem, tlsServerName, insecure, proxy } = credentials
  return { server, caPem, tlsServerName, insecure, ...(proxy && { proxyUrl: proxy.url }) }
}

async function requestToken(
  { kube, namespace, node }: AccessOptions,
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly seconds: number }> {
  const account = `${namespace}/kactus`
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/kactus/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      expirationSeconds: tokenSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: node.name },
    },
  }
  const reply = await kube.request({ method: 'POST', path, body, signal }).catch(error => {
    throw new InstallError('NoToken', `no token for ServiceAccount ${account}: ${messageOf(error)}`, error)
  })
  const parsed = v.safeParse(tokenShape, reply)
  if (!parsed.success) throw new InstallError('NoToken', `the reply to a TokenRequest for ${account} has no token`)
  const { spec, status } = parsed.output
  return { token: status.token, seconds: spec.expirationSeconds }
}
