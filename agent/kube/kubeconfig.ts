import {
  addressOf,
  type ChosenContext,
  chooseContext,
  IMPERSONATION,
  KubeconfigError,
  type KubeconfigFile,
  loginOf,
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
    const context = chooseContext(await readAll(paths, readText))
    const { cluster, user } = context
    refuseKeys(user, 'user', foreignLogins)
    const credentials = await fixedCredentials(context, readText)
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

async function fixedCredentials(context: ChosenContext, readText: ReadText): Promise<KubeCredentials> {
  const login = loginOf(context, path => readNamed(path, `${path}, named in the kubeconfig,`, readText))
  const server = addressOf(context.cluster, 'server', ['https:', 'http:']).href.replace(/\/+$/, '')
  return { source: 'kubeconfig', server, ...login, proxy: await proxyOf(context.cluster, login) }
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
