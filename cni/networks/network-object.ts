import { type ConfList, confListFrom } from '../spec/conf.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, type JsonObject, parseJsonOr } from '../spec/json.ts'
import type { CniVersion } from '../spec/versions.ts'
import { MAX_CHAIN, MAX_CONFIG_BYTES, MAX_CONFIG_VALUES, sizeOf } from './bounds.ts'
import { isNamespaceName, isObjectName } from './kube-names.ts'
import { type NetworkKind, quote } from './request.ts'

/** Names the device plugin resource that a network needs a device of. */
export const RESOURCE_ANNOTATION = 'k8s.v1.cni.cncf.io/resourceName'

/** Where the API keeps each kind. */
export const NETWORK_PATHS: Readonly<Record<NetworkKind, { readonly group: string; readonly plural: string }>> = {
  Network: { group: 'kaloom.com/v1', plural: 'networks' },
  NetworkAttachmentDefinition: { group: 'k8s.cni.cncf.io/v1', plural: 'network-attachment-definitions' },
}

/** A network as its object in the API describes it. */
export interface NetworkObject {
  readonly kind: NetworkKind
  readonly namespace: string
  readonly name: string
  readonly resourceName: string | undefined
  /** Plugin to run, where the configuration does not say. */
  readonly plugin: string | undefined
  readonly config: JsonObject
  /** What the configuration counts for. */
  readonly size: number
}

/**
 * Reads a Network or NetworkAttachmentDefinition as the API gave it.
 * @throws CniError 7
 */
export function networkFrom(kind: NetworkKind, value: unknown): NetworkObject {
  const metadata = member(value, 'metadata')
  const spec = member(value, 'spec')
  const namespace = member(metadata, 'namespace')
  const name = member(metadata, 'name')
  if (!isNamespaceName(namespace) || !isObjectName(name)) throw invalid(`a ${kind}`, 'has no name and namespace')
  const title = `${kind} ${namespace}/${name}`
  const plugin = member(spec, 'plugin')
  const config = configText(title, member(spec, 'config'))
  const isNamed = kind === 'Network' && typeof plugin === 'string' && plugin !== ''
  if (config === '' && !isNamed)
    throw invalid(title, `has no "spec.config"${kind === 'Network' ? ' and no "spec.plugin"' : ''}`)
  return {
    kind,
    namespace,
    name,
    resourceName: resourceOf(title, member(metadata, 'annotations')),
    plugin: isNamed ? plugin : undefined,
    config: configOf(title, config),
    size: sizeOf(config),
  }
}

function resourceOf(title: string, annotations: unknown): string | undefined {
  const name = member(annotations, RESOURCE_ANNOTATION) ?? ''
  if (name === '') return undefined
  if (typeof name === 'string' && /^([a-z0-9.-]{1,253}\/)?[a-zA-Z0-9._-]{1,63}$/.test(name)) return name
  throw invalid(title, `annotation ${RESOURCE_ANNOTATION} is no name of a resource: ${quote(name)}`)
}

/**
 * The plugins to run for a network.
 * @param cniVersion for a configuration that names none
 * @throws CniError 1 or 7
 */
export function confListOf(network: NetworkObject, cniVersion: CniVersion): ConfList {
  const { config } = network
  const filled: JsonObject = {
    name: network.name,
    cniVersion,
    ...withoutEmpty(config),
    ...(field(config, 'plugins') === undefined && { type: field(config, 'type') ?? network.plugin ?? null }),
    // The seed's plugins find the name of their network here.
    ...(network.kind === 'Network' && { networkName: network.name }),
  }
  const title = `${network.kind} ${network.namespace}/${network.name}`
  try {
    const list = confListFrom(filled)
    if (list.plugins.length <= MAX_CHAIN) return list
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    throw new CniError(error.code, `${title}: ${error.message}`, { details: error.details, cause: error })
  }
  throw invalid(title, `the chain has more than ${MAX_CHAIN} plugins`)
}

/** An empty or null name or version is none. */
function withoutEmpty(config: JsonObject): JsonObject {
  const isEmpty = (key: string, value: Json) =>
    (key === 'name' || key === 'cniVersion') && (value === '' || value === null)
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => !isEmpty(key, value)))
}

/** Empty = there is none. */
function configText(title: string, config: unknown): string {
  if (config === undefined || config === null) return ''
  if (typeof config !== 'string') throw invalid(title, '"spec.config" is no string')
  // First by its length: of a large one the values are not even counted.
  if (config.length > MAX_CONFIG_BYTES || sizeOf(config) > MAX_CONFIG_BYTES) {
    const limits = `${MAX_CONFIG_BYTES / 1024} KiB, or has more than ${MAX_CONFIG_VALUES} values`
    throw invalid(title, `"spec.config" is larger than ${limits}`)
  }
  return config.trim() === '' ? '' : config
}

function configOf(title: string, config: string): JsonObject {
  if (config === '') return {}
  const parsed = parseJsonOr(config, ({ message }) => invalid(title, `"spec.config" is no JSON: ${message}`))
  if (isJsonObject(parsed)) return parsed
  throw invalid(title, `"spec.config" is no JSON object: ${quote(config)}`)
}

/** A key of what may be no object at all. */
function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Readonly<Record<string, unknown>>)[key]
}

function invalid(title: string, fault: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, `${title}: ${fault}`)
}
