import { canonicalRange } from './range.ts'
import type { ClusterNode, Mesh, NetmakerNode } from './world.ts'

/** A Kubernetes Node's place in one Netmaker network. */
export interface Membership {
  readonly node: ClusterNode
  readonly network: string
  /** Ids of its nodes there: by accident there are several. The first is the one that a new rule names. */
  readonly ids: readonly [string, ...string[]]
  /** Canonical, in the Node's order, each once. */
  readonly ranges: readonly string[]
}

/** A Node that gets no rules, and why. */
export interface Unmatched {
  readonly node: string
  readonly reason: 'NoHost' | 'TwoHosts' | 'NotInNetwork' | 'NoCIDR'
}

export interface Matching {
  readonly memberships: readonly Membership[]
  readonly unmatched: readonly Unmatched[]
}

/**
 * Finds each Node's nodes in the networks. A host is its Node's by name, a node its host's by the host's id: the list that a host itself has of its
 * nodes loses some and keeps dead ones.
 */
export function matchNodes(nodes: Iterable<ClusterNode>, { hosts, nodes: members }: Mesh): Matching {
  const hostsByName = Map.groupBy(hosts, ({ name }) => name)
  const present = members.filter(({ leaving }) => !leaving)
  const membersByHost = Map.groupBy(present, ({ hostId }) => hostId)
  const memberships: Membership[] = []
  const unmatched: Unmatched[] = []
  for (const node of nodes) {
    const [host, another] = hostsByName.get(node.name) ?? []
    const own = host === undefined ? [] : (membersByHost.get(host.id) ?? [])
    const ranges = rangesOf(node)
    const reason = whyNot({ hasHost: host !== undefined, isTold: another === undefined, own, ranges })
    if (reason !== undefined) unmatched.push({ node: node.name, reason })
    if (another === undefined) memberships.push(...toMemberships(node, own, ranges))
  }
  return { memberships, unmatched }
}

interface Found {
  readonly hasHost: boolean
  readonly isTold: boolean
  readonly own: readonly NetmakerNode[]
  readonly ranges: readonly string[]
}

function whyNot({ hasHost, isTold, own, ranges }: Found): Unmatched['reason'] | undefined {
  if (!hasHost) return 'NoHost'
  if (!isTold) return 'TwoHosts'
  if (own.length === 0) return 'NotInNetwork'
  return ranges.length === 0 ? 'NoCIDR' : undefined
}

function rangesOf({ podCIDRs }: ClusterNode): readonly string[] {
  return [...new Set(podCIDRs.map(canonicalRange).filter(range => range !== undefined))]
}

function toMemberships(
  node: ClusterNode,
  own: readonly NetmakerNode[],
  ranges: readonly string[],
): readonly Membership[] {
  const byNetwork = Map.groupBy(own, ({ network }) => network)
  return [...byNetwork].flatMap(([network, there]) => {
    const [first, ...others] = there.map(({ id }) => id).sort()
    return first === undefined ? [] : [{ node, network, ids: [first, ...others], ranges }]
  })
}
