import { type ConfList, confListFrom } from '../spec/conf.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, JsonError, type JsonObject, parseJson } from '../spec/json.ts'
import type { CniVersion } from '../spec/versions.ts'
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
  const resourceName = member(member(metadata, 'annotations'), RESOURCE_ANNOTATION)
  const plugin = member(spec, 'plugin')
  return {
    kind,
    namespace,
    name,
    resourceName: typeof resourceName === 'string' && resourceName !== '' ? resourceName : undefined,
    plugin: typeof plugin === 'string' && plugin !== '' ? plugin : undefined,
    config: configOf(title, member(spec, 'config')),
  }
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
  try {
    return confListFrom(filled)
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    const title = `${network.kind} ${network.namespace}/${network.name}`
    throw new CniError(error.code, `${title}: ${error.message}`, { details: error.details, cause: error })
  }
}

/** An empty or null name or version is none. */
function withoutEmpty(config: JsonObject): JsonObject {
  const isEmpty = (key: string, value: Json) =>
    (key === 'name' || key === 'cniVersion') && (value === '' || value === null)
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => !isEmpty(key, value)))
}

function configOf(title: string, config: unknown): JsonObject {
  if (config === undefined || config === null) return {}
  if (typeof config !== 'string') throw invalid(title, '"spec.config" is no string')
  if (config.trim() === '') return {}
  try {
    const parsed = parseJson(config)
    if (isJsonObject(parsed)) return parsed
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw invalid(title, `"spec.config" is no JSON: ${error.message}`)
  }
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
