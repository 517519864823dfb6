import type { RequestOptions } from 'node:https'
import { textOf } from '../../cni/host/kubeconfig.ts'
import { field, isJsonObject, type Json, type JsonObject } from '../../cni/spec/json.ts'
import { CredentialsError, type KubeCredentials } from './credentials.ts'

/** Who we are, as a program says. */
export type Login = Partial<Pick<KubeCredentials, 'token' | 'clientCertPem' | 'clientKeyPem'>>

/** A login over a slow line takes some seconds. */
const longestMs = 30_000

/**
 * Logs in by the program that a kubeconfig's user names. The library runs it, and again when what it said has run out. One
 * that hangs is not started a second time beside itself.
 * @throws CredentialsError LoginFailed
 */
export async function createExecLogin(
  exec: JsonObject,
  credentials: KubeCredentials,
  cluster: JsonObject,
  limitMs = longestMs,
): Promise<() => Promise<Login>> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const command = textOf(exec, 'command') ?? ''
  const user = {
    name: 'exec',
    exec: {
      ...exec,
      command,
      args: argumentsOf(exec),
      env: [...variablesOf(exec), toldTo(exec, credentials, cluster)],
    },
  }
  config.loadFromClusterAndUser({ name: 'any', server: 'https://any', skipTLSVerify: false }, user)
  const refusal = (fault: string) =>
    new CredentialsError('LoginFailed', `the kubeconfig's program ${JSON.stringify(command)} ${fault}`)
  const run = async () => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options).catch((error: unknown) => {
      throw refusal(faultOf(error))
    })
    return loginOf(options)
  }
  let running: Promise<Login> | undefined
  return async () => {
    running ??= run().finally(() => {
      running = undefined
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(refusal(`said nothing within ${limitMs / 1000} s`)), limitMs)
    })
    return Promise.race([running, late]).finally(() => clearTimeout(timer))
  }
}

function loginOf(options: RequestOptions): Login {
  const { headers, cert, key } = options
  const bearer = /^Bearer (.+)$/.exec(String(new Map(Object.entries(headers ?? {})).get('Authorization') ?? ''))?.[1]
  return {
    ...(bearer !== undefined && { token: bearer }),
    ...(cert !== undefined && { clientCertPem: String(cert) }),
    ...(key !== undefined && { clientKeyPem: String(key) }),
  }
}

/** To a program `true` and 5 are words. */
function argumentsOf(exec: JsonObject): readonly string[] {
  return listOf(exec, 'args').map(arg => textOf({ arg }, 'arg') ?? '')
}

function variablesOf(exec: JsonObject) {
  const variables = listOf(exec, 'env').filter(isJsonObject)
  return variables.map(each => ({ name: textOf(each, 'name') ?? '', value: textOf(each, 'value') ?? '' }))
}

function listOf(exec: JsonObject, key: string): readonly Json[] {
  const list = field(exec, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

/** What the protocol of client-go tells the program, and the library does not. */
function toldTo(exec: JsonObject, credentials: KubeCredentials, cluster: JsonObject) {
  const wantsCluster = textOf(exec, 'provideClusterInfo') === 'true'
  const { server, caPem, tlsServerName, insecure } = credentials
  const told = {
    server,
    ...(tlsServerName !== undefined && { 'tls-server-name': tlsServerName }),
    ...(insecure && { 'insecure-skip-tls-verify': true }),
    ...(caPem !== undefined && { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }),
    ...(textOf(cluster, 'proxy-url') !== undefined && { 'proxy-url': textOf(cluster, 'proxy-url') }),
  }
  const info = {
    apiVersion: textOf(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(wantsCluster && { cluster: told }) },
  }
  return { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }
}

/** Its stderr is for people; its stdout, which a parser's error would quote, may be a token. */
function faultOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return `cannot be run: ${String(error.code)}`
  const said = error instanceof Error && error.constructor === Error ? error.message.trim() : ''
  return said === '' ? 'gave no credentials' : `failed: ${JSON.stringify(said.slice(0, 200))}`
}
