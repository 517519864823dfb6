import { join } from 'node:path'
import type { Pki } from './pki.ts'

/** Where a kube-apiserver works. */
export interface ApiServerPlace {
  /** Of its own certificates, its audit policy and its audit log. */
  readonly folder: string
  readonly pki: Pki
  readonly etcd: string
  readonly port: number
  readonly advertised: string
  readonly serviceCidr: string
}

/** What every kube-apiserver of the tests has: RBAC, node restriction, audit. */
export function apiServerFlags({ folder, pki, etcd, port, advertised, serviceCidr }: ApiServerPlace): string[] {
  return [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    `--advertise-address=${advertised}`,
    `--service-cluster-ip-range=${serviceCidr}`,
    `--cert-dir=${join(folder, 'apiserver')}`,
    `--client-ca-file=${pki.ca.certFile}`,
    `--tls-cert-file=${pki.server.certFile}`,
    `--tls-private-key-file=${pki.server.keyFile}`,
    `--kubelet-client-certificate=${pki.admin.certFile}`,
    `--kubelet-client-key=${pki.admin.keyFile}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki.accountPublicFile}`,
    `--service-account-signing-key-file=${pki.accountKeyFile}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--audit-policy-file=${join(folder, 'audit-policy.yaml')}`,
    `--audit-log-path=${join(folder, 'audit.log')}`,
  ]
}
