import { dirname, resolve } from 'node:path'
import { load as parseYaml } from 'js-yaml'
import * as v from 'valibot'
import { CredentialsError, type KubeCredentials, type ReadText, readNamed } from './credentials.ts'

const text = v.optional(v.nullable(v.string()))
const named = <S extends v.GenericSchema>(entry: S) => v.optional(v.nullable(v.array(entry), []), [])

const kubeconfigShape = v.object({
  'current-context': text,
  clusters: named(
    v.object({
      name: v.string(),
      cluster: v.object({
        server: v.pipe(v.string(), v.url()),
        'certificate-authority': text,
        'certificate-authority-data': text,
        'insecure-skip-tls-verify': v.optional(v.nullable(v.boolean())),
        'tls-server-name': text,
      }),
    }),
  ),
  contexts: named(v.object({ name: v.string(), context: v.object({ cluster: v.string(), user: text }) })),
  users: named(
    v.object({
      name: v.string(),
      user: v.nullable(
        v.looseObject({
          token: text,
          tokenFile: text,
          'client-certificate': text,
          'client-certificate-data': text,
          'client-key': text,
          'client-key-data': text,
        }),
      ),
    }),
  ),
})

type Kubeconfig = v.InferOutput<typeof kubeconfigShape>
type Cluster = Kubeconfig['clusters'][number]['cluster']
type User = Kubeconfig['users'][number]['user']

/** Ways to log in that would have nopal run a program or talk to a login server; a node agent does neither. */
const foreignLogins = ['exec', 'auth-provider', 'username']

/**
 * Reads the credentials of a kubeconfig's current context.
 * @throws CredentialsError that names the file and what is missing or wrong
 */
export function loadKubeconfig(path: string, readText: ReadText): KubeCredentials {
  const { cluster, user } = pickContext(path, parse(path, readNamed(path, `kubeconfig ${path}`, readText)))
  const base = dirname(resolve(path))
  const load = (data: string | null | undefined, file: string | null | undefined) => {
    if (data) return Buffer.from(data, 'base64').toString()
    if (!file) return undefined
    const full = resolve(base, file)
    return readNamed(full, `${full}, named in kubeconfig ${path},`, readText)
  }
  return {
    source: 'kubeconfig',
    server: cluster.server.replace(/\/+$/, ''),
    caPem: load(cluster['certificate-authority-data'], cluster['certificate-authority']),
    tlsServerName: cluster['tls-server-name'] || undefined,
    insecure: cluster['insecure-skip-tls-verify'] === true,
    // As for kubectl: a file wins over a token beside it.
    token: load(undefined, user?.tokenFile)?.trim() ?? (user?.token || undefined),
    clientCertPem: load(user?.['client-certificate-data'], user?.['client-certificate']),
    clientKeyPem: load(user?.['client-key-data'], user?.['client-key']),
  }
}

function parse(path: string, content: string): Kubeconfig {
  try {
    return v.parse(kubeconfigShape, parseYaml(content))
  } catch (error) {
    const detail = error instanceof v.ValiError ? `: ${whereOf(error)}` : ''
    throw new CredentialsError('BadKubeconfig', `${path} is not a valid kubeconfig${detail}`, withoutContent(error))
  }
}

function whereOf(error: v.ValiError<typeof kubeconfigShape>): string {
  const [issue] = error.issues
  return `${v.getDotPath(issue) ?? 'document'} is missing or not valid`
}

/** A parser's message may quote the file, and the file holds secrets. */
function withoutContent(error: unknown): Error {
  return new Error(error instanceof Error ? error.name : 'not readable')
}

function pickContext(path: string, config: Kubeconfig): { cluster: Cluster; user: User | undefined } {
  const missing = (what: string) => new CredentialsError('BadKubeconfig', `${path} has no ${what}`)
  const current = config['current-context']
  if (!current) throw missing('current-context')
  const context = config.contexts.find(entry => entry.name === current)?.context
  if (!context) throw missing(`context ${current}`)
  const cluster = config.clusters.find(entry => entry.name === context.cluster)?.cluster
  if (!cluster) throw missing(`cluster ${context.cluster}`)
  if (!context.user) return { cluster, user: undefined }
  const found = config.users.find(entry => entry.name === context.user)
  if (!found) throw missing(`user ${context.user}`)
  const foreign = foreignLogins.find(name => found.user !== null && found.user[name] !== undefined)
  if (foreign)
    throw new CredentialsError(
      'BadKubeconfig',
      `${path}: user ${context.user} logs in by ${foreign}, which nopal does not do`,
    )
  return { cluster, user: found.user }
}
