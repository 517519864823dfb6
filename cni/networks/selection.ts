import { field, type JsonObject } from '../spec/json.ts'
import { selectAttachments } from './multus-selection.ts'
import { badAnnotation, entriesOf, macOf, type NetworkRequest, nameOf, plainRequest } from './request.ts'

/** The annotation by which a pod asks for further networks. */
export const NETWORKS_ANNOTATION = 'networks'
/** The one of multus' users, read where the first is absent. */
export const MULTUS_ANNOTATION = 'k8s.v1.cni.cncf.io/networks'

/** More than any pod has, few enough to hold in mind. */
export const MAX_NETWORKS = 64

/**
 * The networks that a pod's annotations ask for.
 * @throws CniError 7
 */
export function selectNetworks(annotations: Readonly<Record<string, unknown>>): readonly NetworkRequest[] {
  const own = Object.hasOwn(annotations, NETWORKS_ANNOTATION) ? annotations[NETWORKS_ANNOTATION] : undefined
  const other = Object.hasOwn(annotations, MULTUS_ANNOTATION) ? annotations[MULTUS_ANNOTATION] : undefined
  const requests = selectAny(own, other)
  if (requests.length > MAX_NETWORKS) throw badAnnotation(`asks for more than ${MAX_NETWORKS} networks`)
  if (requests.filter(request => request.isPrimary).length > 1) throw badAnnotation('has more than one "isPrimary"')
  return requests
}

/**
 * What a pod's annotations say of one network that is to be attached while it runs; as it was asked for where they say
 * nothing, or nothing that is understood.
 */
export function withWishes(wanted: NetworkRequest, annotations: Readonly<Record<string, unknown>>): NetworkRequest {
  const isMeant = ({ name, namespace }: NetworkRequest) =>
    name === wanted.name &&
    (namespace === wanted.namespace || namespace === undefined || wanted.namespace === undefined)
  const found = selectIfGood(annotations).find(isMeant)
  if (found === undefined) return wanted
  const { namespace = found.namespace, mac = found.mac } = wanted
  return { ...found, namespace, mac, isPrimary: false }
}

function selectIfGood(annotations: Readonly<Record<string, unknown>>): readonly NetworkRequest[] {
  try {
    return selectNetworks(annotations)
  } catch {
    return []
  }
}

function selectAny(own: unknown, other: unknown): readonly NetworkRequest[] {
  if (typeof own === 'string') return selectKaloom(own)
  return typeof other === 'string' ? selectAttachments(other) : []
}

function selectKaloom(text: string): readonly NetworkRequest[] {
  return entriesOf(text).map(entry => {
    const { name, namespace } = nameOf(entry)
    return {
      ...plainRequest('Network', name, namespace),
      mac: macOf(entry, 'ifMac'),
      isPrimary: booleanOf(entry, 'isPrimary'),
      podagentSkip: booleanOf(entry, 'podagentSkip'),
    }
  })
}

function booleanOf(entry: JsonObject, key: string): boolean {
  const value = field(entry, key) ?? false
  if (typeof value !== 'boolean') throw badAnnotation(`has an entry whose "${key}" is neither true nor false`)
  return value
}
