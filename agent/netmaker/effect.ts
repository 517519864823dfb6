import type { NodeNetwork } from '../kube/node-network.ts'
import type { Membership } from './memberships.ts'
import type { EgressPlan } from './plan.ts'
import { canonicalRange, rangeHolds, rangesOverlap } from './range.ts'
import type { EgressRule, Mesh } from './world.ts'

/** Why a rule that is there may do nothing, the likeliest first. */
export type EffectCause = 'DuplicateRange' | 'EndpointInRange' | 'Disconnected' | 'MessagingDown' | 'AccessPolicy'

/** A rule that is there and has not come to some nodes. */
export interface MissingEffect {
  readonly node: string
  readonly network: string
  readonly range: string
  /** Nodes on which the range is no allowed-ip of the node's key. */
  readonly missingAt: readonly string[]
  readonly cause: EffectCause
}

/** What is looked at. */
export interface EffectView {
  readonly plan: Pick<EgressPlan, 'memberships' | 'writes'>
  readonly mesh: Mesh
  readonly networks: Iterable<NodeNetwork>
  /** Whether the server reaches its hosts; undefined = it does not say. */
  readonly brokerConnected: boolean | undefined
}

/** Compares rules with what the nodes' agents publish of their devices. */
export function findMissingEffects(view: EffectView): readonly MissingEffect[] {
  const reporters = reportersByRange(view.networks)
  const pending = new Set(view.plan.writes.map(({ place }) => keyOf(place.membership, place.range)))
  const places = view.plan.memberships.flatMap(membership => membership.ranges.map(range => ({ membership, range })))
  return places.flatMap(({ membership, range }) => {
    const missingAt = (reporters.get(range) ?? []).filter(name => name !== membership.node.name)
    if (missingAt.length === 0 || pending.has(keyOf(membership, range))) return []
    const { network } = membership
    return [{ node: membership.node.name, network, range, missingAt, cause: findCause(view, membership, range) }]
  })
}

const keyOf = (membership: Membership, range: string) => `${membership.network} ${membership.node.name} ${range}`

function reportersByRange(networks: Iterable<NodeNetwork>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { name, status } of networks) {
    for (const text of status?.missingAllowedIPs ?? []) {
      const range = canonicalRange(text)
      if (range !== undefined) found.set(range, [...(found.get(range) ?? []), name])
    }
  }
  return found
}

function findCause({ mesh, brokerConnected }: EffectView, membership: Membership, range: string): EffectCause {
  const others = (mesh.rules.get(membership.network) ?? []).filter(rule => isOthers(rule, membership))
  if (others.some(rule => rangesOverlap(rule.range, range))) return 'DuplicateRange'
  const own = mesh.nodes.filter(({ id }) => membership.ids.includes(id))
  const hostIds = new Set(own.map(({ hostId }) => hostId))
  const inRange = mesh.hosts.some(({ id, endpoint }) => hostIds.has(id) && rangeHolds(range, endpoint))
  if (inRange) return 'EndpointInRange'
  if (own.every(({ connected }) => !connected)) return 'Disconnected'
  return brokerConnected === false ? 'MessagingDown' : 'AccessPolicy'
}

function isOthers({ enabled, nodeIds }: EgressRule, { ids }: Membership): boolean {
  return enabled && nodeIds.length > 0 && !nodeIds.some(id => ids.includes(id))
}
