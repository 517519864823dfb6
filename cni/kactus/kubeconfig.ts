import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatHostPort } from '../host/host-port.ts'
import {
  addressOf,
  chooseContext,
  IMPERSONATION,
  KubeconfigError,
  type KubeLogin,
  loginOf,
  parseKubeconfig,
  refuseKeys,
} from '../host/kubeconfig.ts'
import { errorCode } from '../host/system-error.ts'

/** How to reach the API server and prove who we are. */
export interface KubeAccess extends KubeLogin {
  readonly server: URL
}

/** Where Kubernetes puts the account of a pod. */
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface InCluster {
  readonly host: string | undefined
  readonly port: string | undefined
  readonly folder?: string
}

/** Reads the account of the pod we run in. */
export async function readInCluster({ host, port, folder = IN_CLUSTER }: InCluster): Promise<KubeAccess> {
  if (!host || !port) throw new KubeconfigError('no kubeconfig is set and this is no pod with a service account')
  const server = `https://${formatHostPort(host, port)}`
  return {
    server: addressOf({ server }, 'server', ['https:']),
    caPem: read(resolve(folder, 'ca.crt')),
    tlsServerName: undefined,
    insecure: false,
    token: tokenOf(read(resolve(folder, 'token'))),
    clientCertPem: undefined,
    clientKeyPem: undefined,
  }
}

/** Ways to prove oneself that run programs or need a library. */
const FOREIGN_LOGINS = ['exec', 'auth-provider', 'username', ...IMPERSONATION]

/**
 * Reads a kubeconfig file and the files it names.
 * @throws KubeconfigError that never quotes what it read
 */
export async function readKubeconfig(path: string): Promise<KubeAccess> {
  const context = chooseContext([await parseKubeconfig(path, read(path))])
  refuseKeys(context.cluster, 'cluster', ['proxy-url'])
  refuseKeys(context.user, 'user', FOREIGN_LOGINS)
  const server = addressOf(context.cluster, 'server', ['https:'])
  const { token, ...login } = loginOf(context, read)
  return { server, ...login, token: token === undefined ? undefined : tokenOf(token) }
}

function tokenOf(raw: string): string {
  const token = raw.trim()
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new KubeconfigError('the token is empty or has a character that no token has')
  return token
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = errorCode(error) ?? error
    throw new KubeconfigError(`${path} cannot be read: ${String(code)}`, { cause: error })
  }
}
