import { interfaceName } from '../../cni/networks/interface-name.ts'
import { namespacesOf } from '../../cni/networks/namespaces.ts'
import type { Attachment } from '../../cni/networks/record.ts'
import type { NetworkRequest } from '../../cni/networks/request.ts'

/** One network that a running pod's annotation asks for, and the interface that it is to be on. */
export interface Wish {
  readonly request: NetworkRequest
  readonly ifname: string
  /** As people write it: `green`, or `team/green`. */
  readonly title: string
  /** Asked for before in the same list: kactus counts such interfaces only where a pod starts. */
  readonly isAgain: boolean
}

/** Gives each network the interface that kactus gives it, in the order of the annotation. */
export function wishesOf(requests: readonly NetworkRequest[]): readonly Wish[] {
  return requests.map((request, at) => {
    const same = requests.slice(0, at).filter(other => isOne(other, request))
    const unnamed = same.filter(({ ifname }) => ifname === undefined).length
    const ordinal = request.kind === 'NetworkAttachmentDefinition' ? unnamed + 1 : 1
    const { name, namespace } = request
    return {
      request,
      ifname: request.ifname ?? interfaceName(ordinal === 1 ? name : `${name}:${ordinal}`),
      title: namespace === undefined ? name : `${namespace}/${name}`,
      isAgain: same.length > 0,
    }
  })
}

/** Whether an attachment is of the network that is asked for, wherever that was found. */
export function isOf({ network }: Attachment, request: NetworkRequest, podNamespace: string): boolean {
  return namespacesOf(request, podNamespace).some(namespace => network === `${namespace}/${request.name}`)
}

function isOne(one: NetworkRequest, other: NetworkRequest): boolean {
  return one.kind === other.kind && one.name === other.name && one.namespace === other.namespace
}
