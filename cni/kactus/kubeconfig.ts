import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { field, isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import { parseYaml, YamlError } from './yaml.ts'

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

export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
  readonly code = 'BadKubeconfig'
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
  const address = host.includes(':') ? `[${host}]` : host
  const [token, ca] = await Promise.all([read(resolve(folder, 'token')), read(resolve(folder, 'ca.crt'))])
  return {
    server: serverOf(`https://${address}:${port}`),
    ca,
    serverName: undefined,
    skipsVerification: false,
    token: tokenOf(token),
    clientCertificate: undefined,
    clientKey: undefined,
  }
}

/**
 * Reads a kubeconfig file and the files it names.
 * @throws KubeconfigError that never quotes what it read
 */
export async function readKubeconfig(path: string): Promise<KubeAccess> {
  const document = parse(await read(path), path)
  const context = entryOf(document, 'contexts', text(document, 'current-context'), 'context')
  const cluster = entryOf(document, 'clusters', text(context, 'cluster'), 'cluster')
  const user = entryOf(document, 'users', text(context, 'user'), 'user')
  refuseOtherWays(user)
  const from = (object: JsonObject, inline: string, file: string) => material(object, inline, file, dirname(path))
  const [ca, clientCertificate, clientKey, token] = await Promise.all([
    from(cluster, 'certificate-authority-data', 'certificate-authority'),
    from(user, 'client-certificate-data', 'client-certificate'),
    from(user, 'client-key-data', 'client-key'),
    readToken(user, dirname(path)),
  ])
  return {
    server: serverOf(text(cluster, 'server') ?? ''),
    ca,
    serverName: text(cluster, 'tls-server-name'),
    skipsVerification: field(cluster, 'insecure-skip-tls-verify') === true,
    token,
    clientCertificate,
    clientKey,
  }
}

/** Ways to prove oneself that run programs or need a library. */
function refuseOtherWays(user: JsonObject): void {
  const other = ['exec', 'auth-provider', 'username'].find(key => (field(user, key) ?? null) !== null)
  if (other !== undefined) throw new KubeconfigError(`the kubeconfig's user has "${other}", which is not supported`)
}

function parse(content: string, path: string): JsonObject {
  try {
    const document = parseYaml(content)
    if (isJsonObject(document)) return document
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new KubeconfigError(`${path}: ${error.message}`, { cause: error })
  }
  throw new KubeconfigError(`${path} is no kubeconfig`)
}

function entryOf(document: JsonObject, list: string, name: string | undefined, key: string): JsonObject {
  const entries = field(document, list)
  if (name === undefined || !Array.isArray(entries)) throw new KubeconfigError(`the kubeconfig names no ${key}`)
  const found = (entries as readonly Json[]).find(entry => isJsonObject(entry) && field(entry, 'name') === name)
  const value = found !== undefined && isJsonObject(found) ? field(found, key) : undefined
  if (value === undefined || !isJsonObject(value))
    throw new KubeconfigError(`the kubeconfig's ${key} is missing in "${list}"`)
  return value
}

async function material(object: JsonObject, inline: string, file: string, folder: string): Promise<string | undefined> {
  const data = text(object, inline)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const path = text(object, file)
  return path === undefined ? undefined : read(resolve(folder, path))
}

/** The file wins, as with kubectl: it is the one that is renewed. */
async function readToken(user: JsonObject, folder: string): Promise<string | undefined> {
  const path = text(user, 'tokenFile')
  const token = path === undefined ? text(user, 'token') : await read(resolve(folder, path))
  return token === undefined ? undefined : tokenOf(token)
}

function tokenOf(raw: string): string {
  const token = raw.trim()
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new KubeconfigError('the token is empty or has a character that no token has')
  return token
}

function serverOf(address: string): URL {
  if (!URL.canParse(address)) throw new KubeconfigError('the kubeconfig\'s "server" is no address')
  const server = new URL(address)
  if (server.protocol !== 'https:') throw new KubeconfigError('the kubeconfig\'s "server" is not https')
  return server
}

function text(object: JsonObject, key: string): string | undefined {
  const value = field(object, key)
  return typeof value === 'string' && value !== '' ? value : undefined
}

async function read(path: string): Promise<string> {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new KubeconfigError(`${path} cannot be read: ${String(code)}`, { cause: error })
  }
}
