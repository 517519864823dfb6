import * as v from 'valibot'

/** Where NodeNetworks are. */
export const nodeNetworksPath = '/apis/nopal.io/v1alpha1/nodenetworks'

/** What a node's agent publishes of its node's part in the mesh, as far as other agents look at it. */
export interface NodeNetwork {
  /** Of the node. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly createdMs: number
  readonly devices: readonly PublishedDevice[]
  /** Address at which others should reach the node; undefined = it was not found. */
  readonly endpoint: string | undefined
  readonly podCIDRs: readonly string[]
  /** Addresses of a standing sandbox. */
  readonly podAddresses: readonly string[]
  /** Pod CIDRs of others that are no allowed-ip of their node's peer there. */
  readonly missingAllowedIPs: readonly string[]
}

/** A WireGuard device as its node publishes it. */
export interface PublishedDevice {
  readonly name: string
  /** base64. */
  readonly publicKey: string
  readonly listenPort: number
}

const texts = v.optional(v.nullable(v.array(v.string())))

const shape = v.object({
  metadata: v.object({ name: v.string(), creationTimestamp: v.optional(v.string(), '') }),
  spec: v.optional(
    v.nullable(
      v.object({
        devices: v.optional(
          v.nullable(v.array(v.object({ name: v.string(), publicKey: v.string(), listenPort: v.number() }))),
        ),
        endpoint: v.optional(v.nullable(v.string())),
        podCIDRs: texts,
        podAddresses: texts,
      }),
    ),
  ),
  status: v.optional(v.nullable(v.object({ missingAllowedIPs: texts }))),
})

/** Reads a NodeNetwork; undefined for anything that is none. */
export function parseNodeNetwork(body: unknown): NodeNetwork | undefined {
  const result = v.safeParse(shape, body)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  return {
    name: metadata.name,
    createdMs: Date.parse(metadata.creationTimestamp) || 0,
    devices: spec?.devices ?? [],
    endpoint: spec?.endpoint || undefined,
    podCIDRs: spec?.podCIDRs ?? [],
    podAddresses: spec?.podAddresses ?? [],
    missingAllowedIPs: status?.missingAllowedIPs ?? [],
  }
}
