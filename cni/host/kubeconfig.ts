import { dirname, resolve } from 'node:path'
import { field, isJsonObject, isRawNumber, type Json, JsonError, type JsonObject, parseJson } from '../spec/json.ts'

/** A kubeconfig that cannot be used. It never says what stands in it but names of keys. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
  readonly code = 'BadKubeconfig'
}

/** One file, as it was parsed. */
export interface KubeconfigFile {
  readonly path: string
  readonly document: JsonObject
}

/** The entries that the current context leads to. Paths in them are absolute. */
export interface ChosenContext {
  readonly cluster: JsonObject
  /** Empty = anonymous. */
  readonly user: JsonObject
}

/**
 * Parses the text of a kubeconfig. YAML's reader is loaded only where it is no JSON.
 * @throws KubeconfigError
 */
export async function parseKubeconfig(path: string, text: string): Promise<KubeconfigFile> {
  const document = await parse(path, text)
  if (document === null) return { path, document: {} }
  if (!isJsonObject(document)) throw new KubeconfigError(`${path} is no kubeconfig`)
  return { path, document }
}

/**
 * Follows the current context through files as kubectl merges them: of entries of one name the first counts. Nothing else
 * is looked at, so a broken neighbour does no harm.
 * @throws KubeconfigError
 */
export function chooseContext(files: readonly KubeconfigFile[]): ChosenContext {
  const names = files.map(({ document }) => textOf(document, 'current-context'))
  const context = find(
    files,
    'contexts',
    names.find(name => name !== undefined),
  ).entry
  const cluster = find(files, 'clusters', textOf(context, 'cluster'))
  const name = textOf(context, 'user')
  const user = name === undefined ? undefined : find(files, 'users', name)
  return {
    cluster: withPaths(cluster, ['certificate-authority']),
    user: user === undefined ? {} : withPaths(user, ['client-certificate', 'client-key', 'tokenFile']),
  }
}

/**
 * Names what a kubeconfig asks for and cannot have. What is empty is not asked for.
 * @throws KubeconfigError
 */
export function refuseKeys(entry: JsonObject, title: string, keys: readonly string[]): void {
  const asked = keys.find(key => !isEmpty(field(entry, key)))
  if (asked !== undefined) throw new KubeconfigError(`the kubeconfig's ${title} has "${asked}", which is not supported`)
}

/** Keys of a user by which it acts as another: ignored, they would give more rights than were meant. */
export const IMPERSONATION = ['as', 'as-uid', 'as-groups', 'as-user-extra']

/**
 * The text of a key; absent, null and empty = undefined. Plain words that YAML or JSON take for something else are text.
 * @throws KubeconfigError
 */
export function textOf(entry: JsonObject, key: string): string | undefined {
  const text = plain(field(entry, key) ?? '')
  if (text === undefined) throw new KubeconfigError(`the kubeconfig's "${key}" is no text`)
  return text === '' ? undefined : text
}

/**
 * Absent and null = false. Text is none of both: kubectl does not take a certificate for good because of a word in quotes.
 * @throws KubeconfigError
 */
export function flagOf(entry: JsonObject, key: string): boolean {
  const value = field(entry, key) ?? false
  if (typeof value === 'boolean') return value
  throw new KubeconfigError(`the kubeconfig's "${key}" is neither true nor false`)
}

/**
 * A URL with one of these schemes.
 * @throws KubeconfigError
 */
export function addressOf(entry: JsonObject, key: string, schemes: readonly string[]): URL {
  const text = textOf(entry, key) ?? ''
  if (!URL.canParse(text)) throw new KubeconfigError(`the kubeconfig's "${key}" is no address`)
  const url = new URL(text)
  if (!schemes.includes(url.protocol)) {
    throw new KubeconfigError(`the kubeconfig's "${key}" is not ${schemes.join(' or ').replaceAll(':', '')}`)
  }
  return url
}

/** Who a server is known by, and who we are there. Certificates and keys are PEM. */
export interface KubeLogin {
  /** undefined = the machine's own authorities. */
  readonly caPem: string | undefined
  /** The name the server's certificate must carry where it is not the server's host. */
  readonly tlsServerName: string | undefined
  /** The kubeconfig asked not to check the server's certificate. */
  readonly insecure: boolean
  /** Bearer token; undefined = there is none (client certificate, or anonymous). */
  readonly token: string | undefined
  readonly clientCertPem: string | undefined
  readonly clientKeyPem: string | undefined
}

/**
 * What a context says. What stands in the kubeconfig itself wins over a file, but for the token, which is renewed there: as
 * with kubectl.
 * @param read reads a file that it names
 * @throws KubeconfigError, or what `read` throws
 */
export function loginOf({ cluster, user }: ChosenContext, read: (path: string) => string): KubeLogin {
  const load = (entry: JsonObject, key: string) => {
    const data = textOf(entry, `${key}-data`)
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    const path = textOf(entry, key)
    return path === undefined ? undefined : read(path)
  }
  const tokenFile = textOf(user, 'tokenFile')
  return {
    caPem: load(cluster, 'certificate-authority'),
    tlsServerName: textOf(cluster, 'tls-server-name'),
    insecure: flagOf(cluster, 'insecure-skip-tls-verify'),
    token: tokenFile === undefined ? textOf(user, 'token') : read(tokenFile).trim(),
    clientCertPem: load(user, 'client-certificate'),
    clientKeyPem: load(user, 'client-key'),
  }
}

async function parse(path: string, text: string): Promise<Json> {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
  }
  const { parseYaml, YamlError } = await import('./yaml.ts')
  try {
    // Maps, lists, texts and null: a tree as JSON has it.
    return parseYaml(text) as Json
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new KubeconfigError(`${path} is no kubeconfig: ${error.message}`, { cause: error })
  }
}

interface FoundEntry {
  readonly entry: JsonObject
  /** Folder that its relative paths start from. */
  readonly folder: string
}

const KEYS = { contexts: 'context', clusters: 'cluster', users: 'user' } as const

function find(files: readonly KubeconfigFile[], list: keyof typeof KEYS, name: string | undefined): FoundEntry {
  const key = KEYS[list]
  if (name === undefined) throw new KubeconfigError(`the kubeconfig names no ${key}`)
  for (const { path, document } of files) {
    const entries = field(document, list)
    const named = (Array.isArray(entries) ? (entries as readonly Json[]) : []).filter(isJsonObject)
    const found = named.find(entry => plain(field(entry, 'name') ?? null) === name)
    const entry = found === undefined ? undefined : (field(found, key) ?? {})
    if (entry !== undefined && isJsonObject(entry)) return { entry, folder: dirname(resolve(path)) }
    if (entry !== undefined) throw new KubeconfigError(`the kubeconfig's ${key} is no object`)
  }
  throw new KubeconfigError(`the kubeconfig has no ${key} ${JSON.stringify(name.slice(0, 80))}`)
}

/** undefined = a list, an object or null. */
function plain(value: Json): string | undefined {
  if (isRawNumber(value)) return value.rawJSON
  return typeof value === 'object' ? undefined : String(value)
}

function withPaths({ entry, folder }: FoundEntry, keys: readonly string[]): JsonObject {
  const paths = keys.flatMap(key => {
    const path = textOf(entry, key)
    return path === undefined ? [] : [[key, resolve(folder, path)] as const]
  })
  const exec = field(entry, 'exec')
  const command = isJsonObject(exec) ? textOf(exec, 'command') : undefined
  // A bare name is looked up in PATH, as by kubectl.
  const isPath = command?.includes('/') === true
  return {
    ...entry,
    ...Object.fromEntries(paths),
    ...(isPath && isJsonObject(exec) && { exec: { ...exec, command: resolve(folder, command) } }),
  }
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
