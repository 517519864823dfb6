import { field, type JsonObject } from '../spec/json.ts'
import { selectAttachments, selectDefault } from './multus-selection.ts'
import { badAnnotation, entriesOf, macOf, type NetworkRequest, nameOf, plainRequest, refuseOthers } from './request.ts'

/** The annotation by which a pod asks for further networks. */
export const NETWORKS_ANNOTATION = 'networks'
/** The one of multus' users, read where the first is absent. */
export const MULTUS_ANNOTATION = 'k8s.v1.cni.cncf.io/networks'
/** By which multus' users ask for another default network. */
export const MULTUS_DEFAULT_ANNOTATION = 'v1.multus-cni.io/default-network'

/** Who reads multus' annotations: where multus itself is the default network's plugin it does, and it alone. */
export type MultusReader = 'kactus' | 'multus'

/** More than any pod has, few enough to hold in mind. */
export const MAX_NETWORKS = 64

/**
 * The networks that a pod's annotations ask for.
 * @throws CniError 7
 */
export function selectNetworks(
  annotations: Annotations,
  multusReader: MultusReader = 'kactus',
): readonly NetworkRequest[] {
  const own = textOf(annotations, NETWORKS_ANNOTATION)
  const multus = multusReader === 'kactus' ? textOf(annotations, MULTUS_ANNOTATION) : undefined
  const multusDefault = multusReader === 'kactus' ? textOf(annotations, MULTUS_DEFAULT_ANNOTATION) : undefined
  const further = own === undefined ? selectAttachments(multus ?? '') : selectKaloom(own)
  const requests = [...selectDefault(multusDefault ?? ''), ...further]
  if (requests.length > MAX_NETWORKS) throw badAnnotation(`asks for more than ${MAX_NETWORKS} networks`)
  if (requests.filter(request => request.isPrimary).length > 1) throw badAnnotation('has more than one "isPrimary"')
  return requests
}

/**
 * What a pod's annotations say of one network that is to be attached while it runs; as it was asked for where they say
 * nothing, or nothing that is understood.
 */
export function withWishes(
  wanted: NetworkRequest,
  annotations: Annotations,
  multusReader: MultusReader = 'kactus',
): NetworkRequest {
  const named = selectIfGood(annotations, multusReader).filter(({ name }) => name === wanted.name)
  const isLikely = ({ namespace }: NetworkRequest) => namespace === undefined || wanted.namespace === undefined
  const found = named.find(({ namespace }) => namespace === wanted.namespace) ?? named.find(isLikely)
  if (found === undefined) return wanted
  const { namespace = found.namespace, mac = found.mac } = wanted
  return { ...found, namespace, mac, isPrimary: false }
}

/** Annotations of multus' that kactus leaves alone, and why. */
export interface Unread {
  readonly message: string
  /** Nobody else reads them either. */
  readonly isLost: boolean
}

/** What a pod says and kactus does not read; undefined = nothing. */
export function unreadAnnotations(annotations: Annotations, multusReader: MultusReader): Unread | undefined {
  const present = [MULTUS_ANNOTATION, MULTUS_DEFAULT_ANNOTATION].filter(key => textOf(annotations, key) !== undefined)
  if (multusReader === 'multus' && present.length > 0) {
    return { message: `multus alone reads ${present.join(' and ')}`, isLost: false }
  }
  if (textOf(annotations, NETWORKS_ANNOTATION) === undefined || !present.includes(MULTUS_ANNOTATION)) return undefined
  return { message: `${MULTUS_ANNOTATION} is not read, as the pod has ${NETWORKS_ANNOTATION}`, isLost: true }
}

function selectIfGood(annotations: Annotations, multusReader: MultusReader): readonly NetworkRequest[] {
  try {
    return selectNetworks(annotations, multusReader)
  } catch {
    return []
  }
}

type Annotations = Readonly<Record<string, unknown>>

function textOf(annotations: Annotations, key: string): string | undefined {
  const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined
  return typeof value === 'string' ? value : undefined
}

const OBEYED = ['name', 'namespace', 'ifMac', 'isPrimary', 'podagentSkip']

function selectKaloom(text: string): readonly NetworkRequest[] {
  return entriesOf(text).map(entry => {
    refuseOthers(entry, OBEYED)
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
