import * as v from 'valibot'

/** Where NodeNetworks are. */
export const nodeNetworksPath = '/apis/nopal.io/v1alpha1/nodenetworks'

/** What a node's agent publishes of its node's part in the mesh. */
export interface NodeNetwork {
  /** Of the node. */
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Uid of the Node that it belongs to; undefined = to none. */
  readonly owner: string | undefined
  /** Milliseconds since 1970. */
  readonly createdMs: number
  readonly spec: NodeNetworkSpec
  /** undefined = none was written yet. */
  readonly status: NodeNetworkStatus | undefined
}

/** What the node says of itself. */
export interface NodeNetworkSpec {
  readonly devices: readonly PublishedDevice[]
  /** Address at which others should reach the node; undefined = it was not found. */
  readonly endpoint: string | undefined
  readonly podCIDRs: readonly string[]
  /** Addresses of a standing sandbox. */
  readonly podAddresses: readonly string[]
}

/** A WireGuard device as its node publishes it. */
export interface PublishedDevice {
  readonly name: string
  /** base64. */
  readonly publicKey: string
  readonly listenPort: number
}

/** What the node's agent has found. */
export interface NodeNetworkStatus {
  readonly verdict: 'Ready' | 'NotReady' | 'Unknown'
  readonly reason: string
  /** How many peers there are, by the class of their endpoint. */
  readonly peers: Readonly<Record<string, number>>
  /** Pod CIDRs of others that are no allowed-ip of their node's peer there. */
  readonly missingAllowedIPs: readonly string[]
  /** At how many of the other nodes with a device its own pod CIDRs are allowed-ips; undefined = it has not said. */
  readonly egress: { readonly peers: number; readonly routed: number } | undefined
  /** Milliseconds since 1970. */
  readonly observedMs: number
}

const text = v.nullish(v.string(), '')
const texts = v.nullish(v.array(v.string()), [])

const shape = v.object({
  metadata: v.object({
    name: v.string(),
    uid: text,
    resourceVersion: text,
    creationTimestamp: text,
    ownerReferences: v.nullish(v.array(v.object({ kind: v.string(), uid: v.string() }))),
  }),
  spec: v.nullish(
    v.object({
      devices: v.nullish(v.array(v.object({ name: v.string(), publicKey: v.string(), listenPort: v.number() })), []),
      endpoint: text,
      podCIDRs: texts,
      podAddresses: texts,
    }),
    {},
  ),
  status: v.nullish(
    v.object({
      verdict: v.fallback(v.picklist(['Ready', 'NotReady', 'Unknown']), 'Unknown'),
      reason: text,
      peers: v.nullish(v.record(v.string(), v.number()), {}),
      missingAllowedIPs: texts,
      egress: v.fallback(v.optional(v.object({ peers: v.number(), routed: v.number() })), undefined),
      observedTime: text,
    }),
  ),
})

/** Reads a NodeNetwork; undefined for anything that is none. */
export function parseNodeNetwork(body: unknown): NodeNetwork | undefined {
  const result = v.safeParse(shape, body)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    owner: metadata.ownerReferences?.find(({ kind }) => kind === 'Node')?.uid,
    createdMs: toMs(metadata.creationTimestamp),
    spec: { ...spec, endpoint: spec.endpoint || undefined },
    status: status ? toStatus(status) : undefined,
  }
}

function toStatus({ egress, observedTime, ...status }: NonNullable<v.InferOutput<typeof shape>['status']>) {
  return { ...status, egress, observedMs: toMs(observedTime) }
}

/** 0 where there is no time. */
function toMs(time: string): number {
  return Date.parse(time) || 0
}
