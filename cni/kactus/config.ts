import type { LogLevel } from '../host/log.ts'
import { isNamespaceName } from '../networks/kube-names.ts'
import { type ConfList, confListFrom, flag } from '../spec/conf.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, type JsonError, type JsonObject, parseJsonOr, without } from '../spec/json.ts'
import { networkNameFault, pluginTypeFault } from '../spec/names.ts'
import { type CniVersion, DEFAULT_VERSION, isSupportedVersion } from '../spec/versions.ts'

/** What every command needs to know of our configuration; the delegates are read apart, by those who use them. */
export interface Conf {
  readonly name: string
  readonly cniVersion: CniVersion
  readonly kubeconfig: string | undefined
  readonly cniDir: string
  /** Empty = do not ask the agent. */
  readonly agentSocket: string
  readonly kubeletDir: string
  readonly sharedNamespaces: readonly string[]
  /** Plugins that a network of a pod may name; undefined = all. */
  readonly allowedPlugins: readonly string[] | undefined
  readonly logLevel: LogLevel | undefined
  readonly logFile: string | undefined
  /** Values for capabilities, from the runtime. */
  readonly runtimeConfig: JsonObject
  readonly prevResult: JsonObject | undefined
  /** All of it, as it came. */
  readonly document: JsonObject
}

/** A default network of the configuration. */
export interface ConfDelegate {
  readonly isMaster: boolean
  readonly list: ConfList
}

/**
 * Reads the configuration in the order the specification asks for: JSON, name, version, the rest.
 * @throws CniError 6, 7, 1, 7
 */
export function readConf(text: string): Conf {
  const document = readDocument(text)
  const name = readName(document)
  const cniVersion = readVersion(document)
  return {
    name,
    cniVersion,
    kubeconfig: path(document, 'kubeconfig'),
    cniDir: path(document, 'cniDir') ?? '/var/lib/cni/kactus',
    agentSocket:
      field(document, 'agentSocket') === '' ? '' : (path(document, 'agentSocket') ?? '/run/nopal/agent.sock'),
    kubeletDir: path(document, 'kubeletDir') ?? '/var/lib/kubelet',
    sharedNamespaces: namespaces(document),
    allowedPlugins: plugins(document),
    logLevel: logLevel(document),
    logFile: path(document, 'logFile'),
    runtimeConfig: object(document, 'runtimeConfig') ?? {},
    prevResult: object(document, 'prevResult'),
    document,
  }
}

/**
 * Reads the default networks.
 * @throws CniError 1 or 7
 */
export function readDelegates(conf: Conf): readonly ConfDelegate[] {
  const delegates = field(conf.document, 'delegates')
  if (!Array.isArray(delegates) || delegates.length === 0) throw invalid('"delegates" is no list with a delegate in it')
  const entries = (delegates as readonly Json[]).map((entry, index) => {
    if (!isJsonObject(entry)) throw invalid(`delegate ${index + 1} is no object`)
    return entry
  })
  const masters = entries.map(isMaster)
  if (masters.filter(Boolean).length > 1) throw invalid('more than one delegate is "masterPlugin"')
  const master = Math.max(masters.indexOf(true), 0)
  return entries.map((entry, index) => ({ isMaster: index === master, list: delegateList(conf, entry, index, master) }))
}

function delegateList(conf: Conf, entry: JsonObject, index: number, master: number): ConfList {
  const name = field(entry, 'name') ?? ''
  // The interface of every other network is named after it.
  if (name === '' && index !== master) throw invalid(`delegate ${index + 1} has no name and is not the master`)
  const own = without(entry, key => MASTER_KEYS.includes(key))
  const version = field(entry, 'cniVersion') ?? ''
  try {
    return confListFrom({
      ...own,
      name: name === '' ? conf.name : name,
      cniVersion: version === '' ? conf.cniVersion : version,
    })
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    const message = `delegate ${index + 1}: ${error.message}`
    throw new CniError(error.code, message, { details: error.details, cause: error })
  }
}

/** The seed's programs read both spellings. */
const MASTER_KEYS = ['masterPlugin', 'masterplugin']

function isMaster(entry: JsonObject): boolean {
  return MASTER_KEYS.some(key => flag(entry, key))
}

function readDocument(text: string): JsonObject {
  const refusal = (fault: string, cause?: JsonError) =>
    new CniError(CniCode.DecodingFailure, `the configuration on stdin is ${fault}`, { cause })
  const document = parseJsonOr(text, error => refusal(`no JSON: ${error.message}`, error))
  if (isJsonObject(document)) return document
  throw refusal('no JSON object')
}

function readName(document: JsonObject): string {
  const name = field(document, 'name')
  if (typeof name !== 'string') throw invalid('the configuration has no name')
  const fault = networkNameFault(name)
  if (fault !== undefined) throw invalid(`the name of the configuration ${fault}: ${JSON.stringify(name.slice(0, 80))}`)
  return name
}

function readVersion(document: JsonObject): CniVersion {
  const version = field(document, 'cniVersion') ?? ''
  if (version === '') return DEFAULT_VERSION
  if (typeof version !== 'string') throw new CniError(CniCode.DecodingFailure, '"cniVersion" is no string')
  if (isSupportedVersion(version)) return version
  const quoted = JSON.stringify(version.slice(0, 80))
  throw new CniError(CniCode.IncompatibleVersion, `cniVersion ${quoted} is not supported`)
}

function path(document: JsonObject, key: string): string | undefined {
  const value = field(document, key) ?? ''
  if (value === '') return undefined
  if (typeof value !== 'string' || !value.startsWith('/') || value.includes('\0')) {
    throw invalid(`"${key}" is no absolute path`)
  }
  return value
}

function object(document: JsonObject, key: string): JsonObject | undefined {
  const value = field(document, key) ?? null
  if (value === null) return undefined
  if (!isJsonObject(value)) throw invalid(`"${key}" is no object`)
  return value
}

function namespaces(document: JsonObject): readonly string[] {
  const list = field(document, 'sharedNamespaces') ?? []
  if (!Array.isArray(list) || !list.every(isNamespaceName)) throw invalid('"sharedNamespaces" is no list of namespaces')
  return list
}

function plugins(document: JsonObject): readonly string[] | undefined {
  const list = field(document, 'allowedPlugins') ?? undefined
  if (list === undefined) return undefined
  const isPlugin = (value: Json): value is string => pluginTypeFault(value) === undefined
  if (!Array.isArray(list) || !list.every(isPlugin)) throw invalid('"allowedPlugins" is no list of names of plugins')
  return list
}

function logLevel(document: JsonObject): LogLevel | undefined {
  const level = field(document, 'logLevel') ?? ''
  if (level === '') return undefined
  const found = typeof level === 'string' || typeof level === 'number' ? logLevelFrom(String(level)) : undefined
  if (found === undefined) throw invalid('"logLevel" is none of error, info, debug')
  return found
}

/** Reads a level by name or by the number that the seed gave it. */
export function logLevelFrom(text: string): LogLevel | undefined {
  const levels: readonly LogLevel[] = ['error', 'info', 'debug']
  return levels.find((level, index) => text === level || text === String(index + 1))
}

function invalid(message: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, message)
}
