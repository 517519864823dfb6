import { readDelegates } from '../../../../cni/kactus/config.ts'
import { planContainer, type WantedNetwork } from '../../../../cni/kactus/plan.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { type NetworkKind, type NetworkRequest, plainRequest } from '../../../../cni/networks/request.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import { confOf, requestOf } from './fixtures.ts'

export interface Wish {
  readonly kind?: NetworkKind
  readonly request?: Partial<NetworkRequest>
  readonly config?: JsonObject
  readonly deviceId?: string
  readonly resourceName?: string
}

/** A network of namespace `team` that a pod asks for. */
export function wanted(name: string, wish: Wish = {}): WantedNetwork {
  const { kind = 'Network', request, config = { type: 'aux' }, deviceId, resourceName } = wish
  return {
    request: { ...plainRequest(kind, name, undefined), ...request },
    object: { kind, namespace: 'team', name, resourceName, plugin: undefined, config, size: 8 },
    deviceId,
  }
}

/** `name` or `name@interface`, as multus' users write it. */
export function attached(text: string): WantedNetwork {
  const [name = '', ifname] = text.split('@')
  return wanted(name, { kind: 'NetworkAttachmentDefinition', request: { ifname } })
}

/** What an ADD of a new container attaches. */
export function plan(
  networks: readonly WantedNetwork[],
  more: Readonly<Record<string, unknown>> = {},
  present: readonly Attachment[] = [],
) {
  const conf = confOf(more)
  return planContainer({ conf, request: requestOf('ADD'), present }, readDelegates(conf), networks)
}
