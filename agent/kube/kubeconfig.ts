import {
  addressOf,
  chooseContext,
  flagOf,
  IMPERSONATION,
  KubeconfigError,
  type KubeconfigFile,
  parseKubeconfig,
  refuseKeys,
  textOf,
} from '../../cni/host/kubeconfig.ts'
import { field, isJsonObject, type JsonObject } from '../../cni/spec/json.ts'
import {
  CredentialsError,
  type KubeCredentials,
  type KubeProxy,
  type LoadedCredentials,
  type ReadText,
  readNamed,
} from './credentials.ts'

/** Ways to log in that kubectl itself has given up, or that would make nopal act as somebody else. */
const foreignLogins = ['auth-provider', 'username', ...IMPERSONATION]
const proxySchemes = ['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:']

/**
 * Reads the credentials of the current context of one or more kubeconfigs, merged as kubectl does. A program to log in
 * with, or a proxy, brings in `@kubernetes/client-node`; what it loads is half as large as the agent.
 * @throws CredentialsError that names the file and what is missing or wrong
 */
export async function loadKubeconfig(
  paths: readonly string[],
  readText: ReadText,
): Promise<Omit<LoadedCredentials, 'files'>> {
  try {
    const { cluster, user } = chooseContext(await readAll(paths, readText))
    refuseKeys(user, 'user', foreignLogins)
    const credentials = await fixedCredentials(cluster, user, readText)
    const exec = field(user, 'exec')
    if (!isJsonObject(exec)) return { credentials }
    const { createExecLogin } = await import('./exec-login.ts')
    const logIn = await createExecLogin(exec, credentials, cluster)
    const renew = async () => ({ ...credentials, ...(await logIn()) })
    return { credentials: await renew(), renew }
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error
    throw new CredentialsError('BadKubeconfig', `${paths.join(':')}: ${error.message}`, error)
  }
}

/** As with kubectl, a file of a list need not be there; one of them must. */
async function readAll(paths: readonly string[], readText: ReadText): Promise<readonly KubeconfigFile[]> {
  const files: KubeconfigFile[] = []
  const missing: CredentialsError[] = []
  for (const path of paths) {
    try {
      files.push(await parseKubeconfig(path, readNamed(path, `kubeconfig ${path}`, readText)))
    } catch (error) {
      if (error instanceof KubeconfigError) throw new CredentialsError('BadKubeconfig', error.message, error)
      if (!(error instanceof CredentialsError) || error.code !== 'FileMissing') throw error
      missing.push(error)
    }
  }
  if (files.length === 0 && missing[0] !== undefined) throw missing[0]
  return files
}

async function fixedCredentials(cluster: JsonObject, user: JsonObject, readText: ReadText): Promise<KubeCredentials> {
  const read = (path: string) => readNamed(path, `${path}, named in the kubeconfig,`, readText)
  // What stands in the kubeconfig itself wins over a file, but for the token: as with kubectl.
  const load = (entry: JsonObject, key: string) => {
    const data = textOf(entry, `${key}-data`)
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    const path = textOf(entry, key)
    return path === undefined ? undefined : read(path)
  }
  const tokenFile = textOf(user, 'tokenFile')
  const known = {
    tlsServerName: textOf(cluster, 'tls-server-name'),
    insecure: flagOf(cluster, 'insecure-skip-tls-verify'),
  }
  return {
    source: 'kubeconfig',
    server: addressOf(cluster, 'server', ['https:', 'http:']).href.replace(/\/+$/, ''),
    caPem: load(cluster, 'certificate-authority'),
    ...known,
    token: tokenFile === undefined ? textOf(user, 'token') : read(tokenFile).trim(),
    clientCertPem: load(user, 'client-certificate'),
    clientKeyPem: load(user, 'client-key'),
    proxy: await proxyOf(cluster, known),
  }
}

async function proxyOf(
  cluster: JsonObject,
  known: Pick<KubeCredentials, 'tlsServerName' | 'insecure'>,
): Promise<KubeProxy | undefined> {
  if (textOf(cluster, 'proxy-url') === undefined) return undefined
  const url = addressOf(cluster, 'proxy-url', proxySchemes)
  const { createProxy } = await import('./proxy.ts')
  return createProxy(url.href, known)
}
