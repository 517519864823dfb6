import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatHostPort } from '../host/host-port.ts'
import {
  addressOf,
  chooseContext,
  flagOf,
  IMPERSONATION,
  KubeconfigError,
  parseKubeconfig,
  refuseKeys,
  textOf,
} from '../host/kubeconfig.ts'
import { errorCode } from '../host/system-error.ts'
import type { JsonObject } from '../spec/json.ts'

/** How to reach the API server and prove who we are. */
export interface KubeAccess {
  readonly server: URL
  readonly ca: string | undefined
  /** Name to check the server's certificate against, where it is not the one in the address. */
  readonly serverName: string | undefined
  readonly skipsVerification: boolean
  readonly token: string | undefined
  readonly clientCertificate: string | undefined
  readonly clientKey: string | undefined
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
    ca: read(resolve(folder, 'ca.crt')),
    serverName: undefined,
    skipsVerification: false,
    token: tokenOf(read(resolve(folder, 'token'))),
    clientCertificate: undefined,
    clientKey: undefined,
  }
}

/** Ways to prove oneself that run programs or need a library. */
const FOREIGN_LOGINS = ['exec', 'auth-provider', 'username', ...IMPERSONATION]

/**
 * Reads a kubeconfig file and the files it names.
 * @throws KubeconfigError that never quotes what it read
 */
export async function readKubeconfig(path: string): Promise<KubeAccess> {
  const { cluster, user } = chooseContext([await parseKubeconfig(path, read(path))])
  refuseKeys(cluster, 'cluster', ['proxy-url'])
  refuseKeys(user, 'user', FOREIGN_LOGINS)
  return {
    server: addressOf(cluster, 'server', ['https:']),
    ca: material(cluster, 'certificate-authority'),
    serverName: textOf(cluster, 'tls-server-name'),
    skipsVerification: flagOf(cluster, 'insecure-skip-tls-verify'),
    token: readToken(user),
    clientCertificate: material(user, 'client-certificate'),
    clientKey: material(user, 'client-key'),
  }
}

/** What stands in the kubeconfig itself wins, as with kubectl. */
function material(entry: JsonObject, key: string): string | undefined {
  const data = textOf(entry, `${key}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const path = textOf(entry, key)
  return path === undefined ? undefined : read(path)
}

/** The file wins, as with kubectl: it is the one that is renewed. */
function readToken(user: JsonObject): string | undefined {
  const path = textOf(user, 'tokenFile')
  const token = path === undefined ? textOf(user, 'token') : read(path)
  return token === undefined ? undefined : tokenOf(token)
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
