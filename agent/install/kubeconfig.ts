import * as v from 'valibot'
import type { KubeCredentials } from '../kube/credentials.ts'

/** How kactus reaches the API, and as whom. */
export interface KactusAccess
  extends Pick<KubeCredentials, 'server' | 'caPem' | 'tlsServerName' | 'insecure' | 'clientCertPem' | 'clientKeyPem'> {
  readonly token: string | undefined
  readonly proxyUrl?: string | undefined
}

/** The kubeconfig as text: JSON, which is YAML too, and which kactus reads without loading a parser for each pod. */
export function renderKubeconfig(access: KactusAccess): string {
  const cluster = {
    server: access.server,
    'certificate-authority-data': base64(access.caPem),
    'tls-server-name': access.tlsServerName,
    // kactus goes through none, and says so where it must ask the API itself.
    'proxy-url': access.proxyUrl,
    'insecure-skip-tls-verify': access.insecure || undefined,
  }
  const user = {
    token: access.token,
    'client-certificate-data': base64(access.clientCertPem),
    'client-key-data': base64(access.clientKeyPem),
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster }],
    users: [{ name: 'kactus', user }],
    contexts: [{ name: 'kactus', context: { cluster: 'cluster', user: 'kactus' } }],
    'current-context': 'kactus',
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

/** The token of a kubeconfig that `renderKubeconfig` wrote for a server; undefined where there is none, or it is another's. */
export function tokenOf(kubeconfig: string, server: string): string | undefined {
  const { success, output } = v.safeParse(writtenShape, kubeconfig)
  return success && output.clusters[0].cluster.server === server ? output.users[0].user.token : undefined
}

const writtenShape = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    clusters: v.strictTuple([v.object({ cluster: v.object({ server: v.string() }) })]),
    users: v.strictTuple([v.object({ user: v.object({ token: v.string() }) })]),
  }),
)

function base64(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : Buffer.from(pem).toString('base64')
}
