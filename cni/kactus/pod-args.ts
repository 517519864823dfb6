import { isNamespaceName, isObjectName, macFrom } from '../networks/kube-names.ts'
import type { PodRef } from '../networks/record.ts'
import { type NetworkRequest, plainRequest } from '../networks/request.ts'
import { CniCode, CniError } from '../spec/errors.ts'

type Args = ReadonlyMap<string, string>

/**
 * The pod that CNI_ARGS names; undefined = none, as from a caller that is no kubelet.
 * @throws CniError 4
 */
export function podOf(args: Args): PodRef | undefined {
  const namespace = args.get('K8S_POD_NAMESPACE') ?? ''
  const name = args.get('K8S_POD_NAME') ?? ''
  if (namespace === '' && name === '') return undefined
  if (!isNamespaceName(namespace)) throw bad('K8S_POD_NAMESPACE cannot be a namespace', namespace)
  if (!isObjectName(name)) throw bad('K8S_POD_NAME cannot be the name of a pod', name)
  const uid = args.get('K8S_POD_UID') ?? ''
  return { namespace, name, uid: uid === '' ? undefined : uid }
}

/**
 * The one network to add to or remove from a running pod; undefined = the call is about the pod as a whole.
 * @throws CniError 4
 */
export function networkOf(args: Args): NetworkRequest | undefined {
  const text = args.get('K8S_POD_NETWORK') ?? ''
  if (text === '') return undefined
  const parts = text.split('/')
  const name = parts.at(-1)
  const namespace = parts.length > 1 ? parts[0] : undefined
  if (parts.length > 2 || !isObjectName(name)) throw bad('K8S_POD_NETWORK cannot be the name of a network', text)
  if (namespace !== undefined && !isNamespaceName(namespace)) throw bad('K8S_POD_NETWORK has no valid namespace', text)
  const address = args.get('K8S_POD_IFMAC') ?? ''
  const mac = macFrom(address)
  if (address !== '' && mac === undefined) throw bad('K8S_POD_IFMAC is no hardware address', address)
  return { ...plainRequest('Network', name, namespace), mac }
}

/** Whether the container may be one that another plugin attached before we were there. */
export function adopts(args: Args): boolean {
  return args.get('NOPAL_ADOPT') === '1'
}

/** Keys that are for us. */
const OURS = ['K8S_POD_NETWORK', 'K8S_POD_IFMAC', 'NOPAL_ADOPT', 'IgnoreUnknown']
/** Wishes for the default network's interface, and never for another. */
const WISHES = ['MAC', 'CNI_IFMAC', 'IP', 'GATEWAY']

/** CNI_ARGS for a delegate: the caller's, with nothing in it that is meant for another interface. */
export function delegateArgs(args: Args, wish: { readonly isPrimary: boolean; readonly mac: string | undefined }) {
  const kept = [...args].filter(([key]) => !OURS.includes(key) && (wish.isPrimary || !WISHES.includes(key)))
  const pairs = new Map([['IgnoreUnknown', '1'], ...kept])
  if (wish.mac !== undefined) pairs.set('CNI_IFMAC', wish.mac).set('MAC', wish.mac)
  return pairs
}

function bad(message: string, value: string): CniError {
  return new CniError(CniCode.InvalidEnvironment, `CNI_ARGS: ${message}: ${JSON.stringify(value.slice(0, 80))}`)
}
