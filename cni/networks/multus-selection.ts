import { field, isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import { interfaceNameFault } from '../spec/names.ts'
import { isNamespaceName, isObjectName } from './kube-names.ts'
import {
  badAnnotation,
  entriesOf,
  isAsked,
  macOf,
  type NetworkRequest,
  nameOf,
  plainRequest,
  quote,
  refuseOthers,
} from './request.ts'

/** Reads multus' annotation of the one network that takes the default one's place, in any of its forms. */
export function selectDefault(text: string): readonly NetworkRequest[] {
  const requests = selectAttachments(text)
  if (requests.length > 1) throw badAnnotation('names more than one default network')
  return requests.map(request => ({ ...request, isPrimary: true }))
}

/** Reads multus' annotation, `[namespace/]name[@interface],...` or JSON. */
export function selectAttachments(text: string): readonly NetworkRequest[] {
  const isText = !/^\s*[[{"]/.test(text)
  return isText ? fromText(text) : entriesOf(text).map(fromEntry)
}

function fromText(text: string): readonly NetworkRequest[] {
  const items = text.split(',').map(item => item.trim())
  return items.filter(item => item !== '').map(fromItem)
}

function fromItem(item: string): NetworkRequest {
  const [path = '', ifname, ...moreAts] = item.split('@')
  const parts = path.split('/')
  const name = parts.at(-1)
  const namespace = parts.length === 2 ? parts[0] : undefined
  const isWell = parts.length <= 2 && moreAts.length === 0 && isObjectName(name)
  if (!isWell || (parts.length === 2 && !isNamespaceName(namespace))) {
    throw badAnnotation(`has an item that is not "[namespace/]name[@interface]": ${quote(item)}`)
  }
  return { ...plainRequest('NetworkAttachmentDefinition', name, namespace), ifname: checkedIfname(ifname) }
}

function fromEntry(entry: JsonObject): NetworkRequest {
  refuseOthers(entry, OBEYED)
  // An empty list asks that the network get no default route: not to obey it would be as wrong as with a full one.
  if ((field(entry, 'default-route') ?? null) !== null)
    throw badAnnotation('asks for "default-route", which is not supported')
  const { name, namespace } = nameOf(entry)
  return {
    ...plainRequest('NetworkAttachmentDefinition', name, namespace),
    mac: macOf(entry, 'mac'),
    ifname: checkedIfname(field(entry, 'interface')),
    capabilityArgs: capabilitiesOf(entry),
    cniArgs: objectOf(entry, 'cni-args'),
  }
}

/** Keys of an entry, and the capability that each becomes. */
const CAPABILITIES = [
  ['ips', 'ips'],
  ['portMappings', 'portMappings'],
  ['bandwidth', 'bandwidth'],
  ['infiniband-guid', 'infinibandGUID'],
] as const

const OBEYED = ['name', 'namespace', 'interface', 'mac', 'cni-args', ...CAPABILITIES.map(([key]) => key)]

function capabilitiesOf(entry: JsonObject): JsonObject {
  const asked = CAPABILITIES.map(([key, capability]) => [capability, field(entry, key) ?? null] as const)
  return Object.fromEntries(asked.filter(([, value]) => isAsked(value)))
}

function objectOf(entry: JsonObject, key: string): JsonObject | undefined {
  const value = field(entry, key) ?? null
  if (value === null) return undefined
  if (!isJsonObject(value)) throw badAnnotation(`has an entry whose "${key}" is no object`)
  return value
}

function checkedIfname(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const fault = typeof value === 'string' ? interfaceNameFault(value) : 'is no string'
  if (fault !== undefined) throw badAnnotation(`asks for an interface whose name ${fault}: ${quote(value)}`)
  return String(value)
}
