import { writeFile } from 'node:fs/promises'

/** How a kubeconfig's user proves itself: by a certificate (PEM, base64) or by a token. */
export type KubeconfigUser = { readonly cert: string; readonly key: string } | { readonly token: string }

/** What a kubeconfig says; everything it needs is in the file itself, so it may be copied anywhere. */
export interface KubeconfigContent {
  readonly url: string
  /** PEM, base64. */
  readonly ca: string
  readonly user: KubeconfigUser
}

/** Writes a kubeconfig of one cluster, one user and one context. */
export async function writeKubeconfig(file: string, content: KubeconfigContent): Promise<void> {
  await writeFile(file, kubeconfigText(content), { mode: 0o600 })
}

function kubeconfigText({ url, ca, user }: KubeconfigContent): string {
  const proof =
    'token' in user
      ? [`    token: ${user.token}`]
      : [`    client-certificate-data: ${user.cert}`, `    client-key-data: ${user.key}`]
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    '- name: nopal',
    '  cluster:',
    `    server: ${url}`,
    `    certificate-authority-data: ${ca}`,
    'users:',
    '- name: nopal',
    '  user:',
    ...proof,
    'contexts:',
    '- name: nopal',
    '  context:',
    '    cluster: nopal',
    '    user: nopal',
    'current-context: nopal',
  ]
  return `${lines.join('\n')}\n`
}
