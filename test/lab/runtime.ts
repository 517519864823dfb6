import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Output } from '../machine/command.ts'
import type { LabNode } from './node.ts'

/**
 * Calls CNI plugins as a container runtime does. On purpose it shares nothing with the product: it is the judge of
 * what kactus and the conf that the agent installs do.
 */

const confFolder = '/etc/cni/net.d'
const binFolder = '/opt/cni/bin'
const resultFolder = '/var/lib/cni/results'

export interface PodIdentity {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** A pod's network namespace and what the runtime knows it by. */
export interface Sandbox {
  readonly containerId: string
  /** Path on the node. */
  readonly netns: string
  readonly pod: PodIdentity
}

/** What the lab reads of a plugin's answer. */
export interface CniResult {
  readonly cniVersion?: string
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[]
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[]
}

/** A plugin refused. */
class CniError extends Error {
  override readonly name = 'CniError'
  /** The plugin's own code; 0 where it gave none. */
  readonly code: number
  readonly plugin: string

  constructor(plugin: string, code: number, message: string) {
    super(`${plugin}: ${message} (code ${code})`)
    this.code = code
    this.plugin = plugin
  }
}

type Json = Record<string, unknown>

interface ConfList {
  readonly name: string
  readonly cniVersion: string
  readonly plugins: readonly Json[]
}

/** Makes an empty network namespace on the node, as a runtime does before it calls a plugin. */
export async function makeSandbox(node: LabNode, pod: PodIdentity): Promise<Sandbox> {
  const name = `cni-${pod.name}-${randomBytes(3).toString('hex')}`
  const netns = `/var/run/netns/${name}`
  const make = 'mkdir -p /run/netns && : >"$1" && unshare --net="$1" ip link set lo up'
  await node.run(['sh', '-c', make, 'sh', netns])
  return { containerId: randomBytes(32).toString('hex'), netns, pod }
}

export async function removeSandbox(node: LabNode, sandbox: Sandbox): Promise<void> {
  await node.run(['sh', '-c', 'umount "$1" && rm "$1"', 'sh', sandbox.netns])
}

/**
 * ADD of the whole chain.
 * @throws CniError from the plugin that failed; the caller then owes a DEL, as the specification says
 */
export async function attach(node: LabNode, sandbox: Sandbox): Promise<CniResult> {
  const list = readConf(node)
  let result: Json | undefined
  for (const plugin of list.plugins) result = await call(node, 'ADD', sandbox, requestOf(list, plugin, result))
  const cached = { kind: 'cniCacheV1', containerId: sandbox.containerId, networkName: list.name, result }
  mkdirSync(node.path(resultFolder), { recursive: true })
  writeFileSync(cacheFile(node, list, sandbox), JSON.stringify(cached), { mode: 0o600 })
  return result ?? {}
}

/** DEL of the whole chain, last plugin first, with the result that ADD gave. */
export async function detach(node: LabNode, sandbox: Sandbox): Promise<void> {
  const list = readConf(node)
  const previous = cachedResult(node, list, sandbox)
  for (const plugin of list.plugins.toReversed()) await call(node, 'DEL', sandbox, requestOf(list, plugin, previous))
  rmSync(cacheFile(node, list, sandbox), { force: true })
}

/** The file that decides: the first of the folder, by name. */
export function firstConfName(node: LabNode): string | undefined {
  const names = readdirSync(node.path(confFolder), { withFileTypes: true })
  return names
    .filter(entry => !entry.isDirectory() && /\.(conf|conflist|json)$/.test(entry.name))
    .map(entry => entry.name)
    .sort()[0]
}

function readConf(node: LabNode): ConfList {
  const name = firstConfName(node)
  if (name === undefined) throw new Error(`no CNI configuration on ${node.name}`)
  const conf = parseObject(readFileSync(join(node.path(confFolder), name), 'utf8'), name)
  const plugins = Array.isArray(conf.plugins) ? (conf.plugins as Json[]) : [conf]
  return { name: String(conf.name), cniVersion: String(conf.cniVersion ?? '0.2.0'), plugins }
}

function requestOf(list: ConfList, plugin: Json, previous: Json | undefined): Json {
  const { capabilities: _, ...rest } = plugin
  const request = { ...rest, name: list.name, cniVersion: list.cniVersion }
  return previous === undefined ? request : { ...request, prevResult: previous }
}

async function call(node: LabNode, command: string, sandbox: Sandbox, request: Json): Promise<Json> {
  const type = String(request.type)
  const output = await node.exec([`${binFolder}/${type}`], {
    env: environmentOf(command, sandbox),
    input: JSON.stringify(request),
    timeoutMs: 120_000,
  })
  if (output.code !== 0) throw errorOf(type, output)
  return command === 'ADD' ? parseObject(output.stdout, type) : {}
}

function environmentOf(command: string, { containerId, netns, pod }: Sandbox): Record<string, string> {
  const args = [
    'IgnoreUnknown=1',
    `K8S_POD_NAMESPACE=${pod.namespace}`,
    `K8S_POD_NAME=${pod.name}`,
    `K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
    `K8S_POD_UID=${pod.uid}`,
  ]
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: binFolder,
    CNI_ARGS: args.join(';'),
  }
}

/** The error a plugin printed, else what it said on stderr. */
function errorOf(plugin: string, output: Output): CniError {
  try {
    const { code, msg, details } = parseObject(output.stdout, plugin)
    const message = [msg, details].filter(part => typeof part === 'string' && part !== '').join(': ')
    return new CniError(plugin, Number(code ?? 0), message)
  } catch {
    return new CniError(plugin, 0, `exit code ${output.code}: ${output.stdout}${output.stderr}`.trim())
  }
}

function cacheFile(node: LabNode, list: ConfList, sandbox: Sandbox): string {
  return join(node.path(resultFolder), `${list.name}-${sandbox.containerId}-eth0`)
}

function cachedResult(node: LabNode, list: ConfList, sandbox: Sandbox): Json | undefined {
  try {
    const cached = parseObject(readFileSync(cacheFile(node, list, sandbox), 'utf8'), 'result cache')
    return isObject(cached.result) ? cached.result : undefined
  } catch {
    return undefined
  }
}

function parseObject(text: string, source: string): Json {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error(`${source}: not a JSON object`)
  return value
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
