import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiTarget } from '../../cluster/api-client.ts'
import { type KubeconfigUser, writeKubeconfig } from '../../cluster/kubeconfig.ts'
import { issueCertificate, makePki, type Pki, readBase64, type Subject } from '../../cluster/pki.ts'
import { net, nodePlans } from './plan.ts'

/** The cluster's keys, and a kubeconfig file for each of its parts. */
export interface ClusterKeys {
  readonly pki: Pki
  readonly controllers: string
  readonly scheduler: string
  readonly proxy: string
  /** By node name. */
  readonly kubelets: ReadonlyMap<string, string>
}

const serverNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  `kubernetes.default.svc.${net.clusterDomain}`,
  'localhost',
  '127.0.0.1',
  net.apiService,
  net.controlPlane,
]

/** Makes all keys of a cluster in `folder`. */
export async function makeKeys(folder: string): Promise<ClusterKeys> {
  const pki = await makePki(folder, serverNames)
  const part = (name: string, subject: Subject) => writePartKubeconfig(pki, name, subject)
  const [controllers, scheduler, proxy, ...kubelets] = await Promise.all([
    part('kube-controller-manager', { commonName: 'system:kube-controller-manager' }),
    part('kube-scheduler', { commonName: 'system:kube-scheduler' }),
    part('kube-proxy', { commonName: 'system:kube-proxy' }),
    ...nodePlans.map(({ name }) =>
      part(`kubelet-${name}`, { commonName: `system:node:${name}`, groups: ['system:nodes'] }),
    ),
  ])
  const byNode = nodePlans.map(({ name }, index) => [name, kubelets[index] ?? ''] as const)
  return { pki, controllers, scheduler, proxy, kubelets: new Map(byNode) }
}

/** The administrator's kubeconfig, which leads through the port on this machine. */
export async function writeAdminKubeconfig(pki: Pki, file: string, url: string): Promise<void> {
  await writeKubeconfig(file, { url, ca: await readBase64(pki.ca.certFile), user: await userOf(pki.admin) })
}

/** The administrator's way in for a process that did not make the keys. */
export async function readAdminTarget(folder: string, kubeconfig: string): Promise<ApiTarget> {
  const text = await readFile(kubeconfig, 'utf8')
  const [, url = ''] = /server: (\S+)/.exec(text) ?? []
  const [ca = '', cert = '', key = ''] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map(file => readFile(join(folder, file), 'utf8')),
  )
  return { url, ca, cert, key }
}

async function writePartKubeconfig(pki: Pki, name: string, subject: Subject): Promise<string> {
  const file = join(pki.folder, `${name}.kubeconfig`)
  const user = await userOf(await issueCertificate(pki.folder, name, subject))
  const url = `https://${net.controlPlane}:${net.apiPort}`
  await writeKubeconfig(file, { url, ca: await readBase64(pki.ca.certFile), user })
  return file
}

async function userOf(pair: { readonly certFile: string; readonly keyFile: string }): Promise<KubeconfigUser> {
  return { cert: await readBase64(pair.certFile), key: await readBase64(pair.keyFile) }
}
