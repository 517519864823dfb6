import type { KubeCredentials } from '../kube/credentials.ts'

/** How kactus reaches the API, and as whom. */
export interface KactusAccess
  extends Pick<KubeCredentials, 'server' | 'caPem' | 'tlsServerName' | 'insecure' | 'clientCertPem' | 'clientKeyPem'> {
  readonly token: string | undefined
  readonly proxyUrl?: string | undefined
}

/** The kubeconfig as text. Strings are quoted as in JSON, which YAML reads the same. */
export function renderKubeconfig(access: KactusAccess): string {
  const cluster = [
    entry('server', access.server),
    entry('certificate-authority-data', base64(access.caPem)),
    entry('tls-server-name', access.tlsServerName),
    // kactus goes through none, and says so where it must ask the API itself.
    entry('proxy-url', access.proxyUrl),
    access.insecure ? ['insecure-skip-tls-verify: true'] : [],
  ]
  const user = [
    entry('token', access.token),
    entry('client-certificate-data', base64(access.clientCertPem)),
    entry('client-key-data', base64(access.clientKeyPem)),
  ]
  const lines = [
    '# Written by nopal for kactus, and written again whenever the credentials change.',
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    '  - name: cluster',
    ...block('cluster', cluster.flat()),
    'users:',
    '  - name: kactus',
    ...block('user', user.flat()),
    'contexts:',
    '  - name: kactus',
    '    context:',
    '      cluster: cluster',
    '      user: kactus',
    'current-context: kactus',
  ]
  return `${lines.join('\n')}\n`
}

/** The token of a kubeconfig that `renderKubeconfig` wrote for a server; undefined where there is none, or it is another's. */
export function tokenOf(kubeconfig: string, server: string): string | undefined {
  if (!kubeconfig.includes(`\n      ${entry('server', server)}\n`)) return undefined
  const quoted = /^ {6}token: ("[^"\\]*")$/m.exec(kubeconfig)?.[1]
  return quoted === undefined ? undefined : String(JSON.parse(quoted))
}

function block(key: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [`    ${key}: {}`]
  return [`    ${key}:`, ...lines.map(line => `      ${line}`)]
}

function entry(key: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`]
}

function base64(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : Buffer.from(pem).toString('base64')
}
