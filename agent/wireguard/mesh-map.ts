import type { NodeNetwork } from '../kube/node-network.ts'
import {
  type Address,
  canonicalAddress,
  type Prefix,
  PrefixTable,
  parseAddress,
  parsePrefix,
  type SocketAddress,
} from './addresses.ts'

/** What others publish, ready to be asked for many peers at once. */
export interface MeshMap {
  /** The node that has a key; undefined = none, such as somebody's laptop. */
  nodeOf(publicKey: string): MeshNode | undefined
  /** Why an address can be no endpoint; undefined = it can. */
  faultOf(address: Address): string | undefined
  /** Where the pods of all nodes are, as far as that can be believed. */
  readonly pods: readonly PodNetwork[]
  /** The nodes other than this one. */
  readonly others: readonly MeshNode[]
}

/** A network of pods. */
export interface PodNetwork {
  /** Whose pods. */
  readonly node: string
  readonly prefix: Prefix
}

/** Another node of the mesh. */
export interface MeshNode {
  readonly name: string
  readonly publicKeys: readonly string[]
  /** Where its device with a key should be reached; undefined = it does not know itself. */
  endpointOf(publicKey: string): SocketAddress | undefined
  readonly podCIDRs: readonly Prefix[]
  readonly createdMs: number
}

export interface MeshFacts {
  /** Name of this node. */
  readonly self: string
  /** This node's too. */
  readonly networks: readonly NodeNetwork[]
  /** Networks, or single addresses of Services. */
  readonly serviceCIDRs: readonly string[]
  /** Addresses of this node's interfaces. */
  readonly ownAddresses: readonly string[]
}

/** Where no peer can be, wherever this node is. */
const nowhere = {
  '0.0.0.0/8': 'is no address of a machine',
  '127.0.0.0/8': 'is the loopback',
  '169.254.0.0/16': 'is of one link only',
  '::/128': 'is no address of a machine',
  '::1/128': 'is the loopback',
  'fe80::/10': 'is of one link only',
} as const

/** Puts together what is known of the mesh. Made anew when it changes, not for every look. */
export function createMeshMap({ self, networks, serviceCIDRs, ownAddresses }: MeshFacts): MeshMap {
  const pods = believablePods(networks)
  const faults = tableOf([
    ...Object.entries(nowhere),
    ...serviceCIDRs.map(text => [text, `is in the service network ${text}`] as const),
    ...pods.map(({ node, prefix }) => [prefix.text, `is in the pod network of ${node}`] as const),
    ...ownAddresses.map(text => [text, 'is an address of this node'] as const),
  ])
  const others = networks.filter(({ name }) => name !== self).map(toMeshNode)
  const byKey = new Map<string, MeshNode | undefined>()
  // A key that two claim is nobody's: one of them would send the other's peers where he likes.
  for (const node of others) for (const key of node.publicKeys) byKey.set(key, byKey.has(key) ? undefined : node)
  return { pods, others, nodeOf: key => byKey.get(key), faultOf: address => faults.find(address) }
}

const leastPodBits = 8

/**
 * A node that claims half the internet for its pods, or a network that another node is in, makes nobody's endpoint wrong:
 * each agent is believed about its own node alone.
 */
function believablePods(networks: readonly NodeNetwork[]): readonly PodNetwork[] {
  const claims = networks.flatMap(({ name, spec }) =>
    spec.podCIDRs.flatMap(text => {
      const prefix = parsePrefix(text)
      return prefix !== undefined && prefix.length >= leastPodBits ? [{ node: name, prefix }] : []
    }),
  )
  const table = new PrefixTable<PodNetwork>()
  for (const claim of claims) table.add(claim.prefix, claim)
  const doubted = new Set<string>()
  for (const { name, spec } of networks) {
    const address = spec.endpoint === undefined ? undefined : parseAddress(spec.endpoint)
    for (const { node, prefix } of address ? table.findAll(address) : []) if (node !== name) doubted.add(prefix.text)
  }
  return claims.filter(({ prefix }) => !doubted.has(prefix.text))
}

function toMeshNode({ name, createdMs, spec }: NodeNetwork): MeshNode {
  const { devices, endpoint, podCIDRs } = spec
  const address = endpoint === undefined ? undefined : canonicalAddress(endpoint)
  const ports = new Map(devices.map(device => [device.publicKey, device.listenPort]))
  return {
    name,
    publicKeys: [...ports.keys()],
    endpointOf(publicKey) {
      const port = ports.get(publicKey)
      return address === undefined || port === undefined || port === 0 ? undefined : { address, port }
    },
    podCIDRs: podCIDRs.flatMap(text => parsePrefix(text) ?? []),
    createdMs,
  }
}

const privateRanges = tableOf(
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(text => [text, true]),
)

/** Whether an address is of a network that anybody may use at home: a LAN, a carrier's, a ULA. */
export function isPrivate(address: Address): boolean {
  return privateRanges.find(address) === true
}

/** An address stands for the network of that one address. */
function tableOf<T>(entries: readonly (readonly [string, T])[]): PrefixTable<T> {
  const table = new PrefixTable<T>()
  for (const [text, value] of entries) {
    const prefix = parsePrefix(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)
    if (prefix !== undefined) table.add(prefix, value)
  }
  return table
}
