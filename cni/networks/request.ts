import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, type JsonObject, parseJsonOr } from '../spec/json.ts'
import { isNamespaceName, isObjectName, macFrom } from './kube-names.ts'

export type NetworkKind = 'Network' | 'NetworkAttachmentDefinition'

/** One network that a pod asks for. */
export interface NetworkRequest {
  readonly kind: NetworkKind
  readonly name: string
  /** Asked for in this namespace and no other. */
  readonly namespace: string | undefined
  readonly mac: string | undefined
  /** Takes the place of the default network. */
  readonly isPrimary: boolean
  /** Left alone by the agent once the pod runs. */
  readonly podagentSkip: boolean
  /** A name for the interface other than the stable one. */
  readonly ifname: string | undefined
  /** For plugins that declare the capability of that name. */
  readonly capabilityArgs: JsonObject
  /** For the plugin's `args.cni`. */
  readonly cniArgs: JsonObject | undefined
}

/** A network without any wishes. */
export function plainRequest(kind: NetworkKind, name: string, namespace: string | undefined): NetworkRequest {
  return {
    kind,
    name,
    namespace,
    mac: undefined,
    isPrimary: false,
    podagentSkip: false,
    ifname: undefined,
    capabilityArgs: {},
    cniArgs: undefined,
  }
}

/** The entries of a JSON annotation, objects all. */
export function entriesOf(text: string): readonly JsonObject[] {
  if (text.trim() === '') return []
  const parsed = parseJsonOr(text, ({ message }) => badAnnotation(`is no JSON: ${message}`))
  if (parsed === null) return []
  if (!Array.isArray(parsed)) throw badAnnotation('is no JSON list')
  return (parsed as readonly Json[]).map(entry => {
    if (!isJsonObject(entry)) throw badAnnotation('has an entry that is no object')
    return entry
  })
}

/** The name and namespace of an entry, as both forms spell them. */
export function nameOf(entry: JsonObject): { readonly name: string; readonly namespace: string | undefined } {
  const name = field(entry, 'name')
  const namespace = field(entry, 'namespace') ?? ''
  if (!isObjectName(name)) throw badAnnotation(`has an entry whose "name" cannot be that of a network: ${quote(name)}`)
  if (namespace !== '' && !isNamespaceName(namespace)) {
    throw badAnnotation(`has an entry whose "namespace" cannot be one: ${quote(namespace)}`)
  }
  return { name, namespace: namespace === '' ? undefined : namespace }
}

/** The hardware address of an entry; absent and empty = any. */
export function macOf(entry: JsonObject, key: string): string | undefined {
  const text = field(entry, key) ?? ''
  if (text === '') return undefined
  const mac = macFrom(text)
  if (mac === undefined) throw badAnnotation(`has an entry whose "${key}" is no hardware address: ${quote(text)}`)
  return mac
}

/** Refuses what nobody here would obey; a key without a value asks for nothing. */
export function refuseOthers(entry: JsonObject, obeyed: readonly string[]): void {
  const other = Object.keys(entry).find(key => !obeyed.includes(key) && isAsked(field(entry, key)))
  if (other !== undefined) throw badAnnotation(`asks for ${quote(other)}, which is not supported`)
}

/** Whether a value says anything. */
export function isAsked(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false
  return !((Array.isArray(value) || isJsonObject(value)) && Object.keys(value).length === 0)
}

export function badAnnotation(fault: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, `the pod's networks annotation ${fault}`)
}

/** Foreign text for a message: bounded and escaped. */
export function quote(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 80)
}
