import type { DeleteReason, HeldDelete, RuleDelete, RuleWrite, WriteReason } from './actions.ts'
import { assignRules, isBound } from './assignment.ts'
import { newBody, type Place, repairedBody, wordsOf } from './body.ts'
import { nodeOfName } from './label.ts'
import { type Membership, matchNodes, type Unmatched } from './memberships.ts'
import { findOwners, liveIdsOf, type ManagedRule, type NetworkView } from './owners.ts'
import type { ClusterNode, Mesh } from './world.ts'

/** What has to be done so that every range of every node has one rule in each of its networks. */
export interface EgressPlan {
  /** New rules first: a range that moves from node to node is not without one in between. */
  readonly writes: readonly RuleWrite[]
  readonly deletes: readonly RuleDelete[]
  readonly held: readonly HeldDelete[]
  readonly unmatched: readonly Unmatched[]
  readonly memberships: readonly Membership[]
  readonly networks: readonly NetworkCount[]
}

/** Figures of one network. */
export interface NetworkCount {
  readonly network: string
  readonly wanted: number
  /** Rules of this cluster's. */
  readonly present: number
}

/** What a plan is made of. */
export interface Observed {
  readonly nodes: readonly ClusterNode[]
  readonly mesh: Mesh
  /** Name of this cluster in the rules; empty = rules without one. */
  readonly cluster: string
}

export function planEgress({ nodes, mesh, cluster }: Observed): EgressPlan {
  const { memberships, unmatched } = matchNodes(nodes, mesh)
  const byNetwork = Map.groupBy(memberships, ({ network }) => network)
  const names = createNames(nodes, mesh)
  const liveIds = liveIdsOf(mesh)
  const parts = [...mesh.rules].map(([network, rules]) =>
    planNetwork({ memberships: byNetwork.get(network) ?? [], rules, cluster, liveIds }, names),
  )
  const writes = parts.flatMap(part => part.writes)
  return {
    writes: writes.toSorted((one, other) => urgency(one) - urgency(other)),
    ...guardLists(parts, { nodes, mesh, cluster }),
    unmatched,
    memberships,
    networks: [...mesh.rules.keys()].map((network, at) => ({ network, ...(parts[at]?.count ?? noCount) })),
  }
}

const noCount = { wanted: 0, present: 0 }
const urgency = ({ action }: RuleWrite) => (action === 'create' ? 0 : 1)

interface NetworkPlan {
  readonly writes: readonly RuleWrite[]
  readonly deletes: readonly RuleDelete[]
  readonly held: readonly HeldDelete[]
  readonly count: { readonly wanted: number; readonly present: number }
  /** Whether a rule belongs to a Node of this cluster. */
  readonly isOurs: boolean
}

function planNetwork(view: NetworkView, names: Names): NetworkPlan {
  const { byMembership, stranded, foreign } = findOwners(view)
  const parts = view.memberships.map(membership => planMembership(membership, byMembership.get(membership) ?? [], view))
  const lost = stranded.map(managed => judgeStranded(managed, names)).filter(found => found !== undefined)
  const ours = [...byMembership.values()].reduce((sum, rules) => sum + rules.length, 0)
  return {
    writes: parts.flatMap(part => part.writes),
    deletes: [...parts.flatMap(part => part.deletes), ...lost.filter(isDelete)],
    held: [
      ...parts.flatMap(part => part.held),
      ...lost.filter(found => !isDelete(found)),
      ...foreign.map(managed => hold(managed, 'OtherCluster', [])),
    ],
    count: {
      wanted: view.memberships.reduce((sum, { ranges }) => sum + ranges.length, 0),
      present: ours + stranded.length,
    },
    isOurs: ours > 0,
  }
}

function planMembership(membership: Membership, rules: readonly ManagedRule[], view: NetworkView) {
  const { kept, doubles, stale } = assignRules(membership, rules)
  const writes = membership.ranges.map((range, index) => {
    const place = { membership, index, range, cluster: view.cluster }
    return planPlace(place, kept[index], view.liveIds)
  })
  const toDelete = (reason: DeleteReason) => (managed: ManagedRule) => remove(managed, reason, [membership.node.name])
  const [gone, waiting] = parted(
    stale,
    managed => membership.ranges.length > 0 || isWantedElsewhere(managed, membership, view),
  )
  return {
    writes: writes.filter(write => write !== undefined),
    deletes: [...doubles.map(toDelete('Duplicate')), ...gone.map(toDelete('CIDRGone'))],
    // A Node without CIDRs has not got them yet.
    held: waiting.map(managed => hold(managed, 'Unconfirmed', [membership.node.name])),
  }
}

function isWantedElsewhere({ range }: ManagedRule, own: Membership, { memberships }: NetworkView): boolean {
  return range !== undefined && memberships.some(membership => membership !== own && membership.ranges.includes(range))
}

function planPlace(
  place: Place,
  managed: ManagedRule | undefined,
  liveIds: ReadonlySet<string>,
): RuleWrite | undefined {
  if (managed === undefined) {
    return { action: 'create', place, rule: undefined, body: newBody(place), reason: 'NoRule' }
  }
  const reason = findFault(place, managed)
  if (reason === undefined) return undefined
  const action = reason === 'NodeReplaced' ? 'adopt' : 'update'
  return { action, place, rule: managed.rule, body: repairedBody(place, managed, liveIds), reason }
}

/** What of our own fields is not as it should be; metric, foreign nodes and fields that we do not know are not ours. */
function findFault(place: Place, { rule, range }: ManagedRule): WriteReason | undefined {
  const { name, description } = wordsOf(place)
  if (!isBound(place.membership, rule.nodeIds)) return 'NodeReplaced'
  if (range !== place.range) return 'RangeChanged'
  const same = rule.name === name && rule.description === description && !rule.nat && rule.enabled
  return same && !rule.tagged && rule.domain === '' ? undefined : 'Drifted'
}

/** Names by which a rule can belong to a Node of this cluster. */
interface Names {
  isNode(name: string): boolean
  hostsOf(rule: ManagedRule['rule']): readonly string[]
}

function createNames(nodes: readonly ClusterNode[], { hosts, nodes: members }: Mesh): Names {
  const known = new Set(nodes.map(({ name }) => name))
  const hostNames = new Map(hosts.map(({ id, name }) => [id, name]))
  const byId = new Map(members.map(({ id, hostId }) => [id, hostNames.get(hostId)]))
  return {
    isNode: name => known.has(name),
    hostsOf: ({ nodeIds }) => nodeIds.map(id => byId.get(id)).filter(name => name !== undefined),
  }
}

/** A rule that is no membership's has to go only if no Node has any of its names; undefined = it stays as it is. */
function judgeStranded(managed: ManagedRule, names: Names): RuleDelete | HeldDelete | undefined {
  const own = nodeOfName(managed.rule.name)
  const all = [...new Set([...(own === undefined ? [] : [own]), ...names.hostsOf(managed.rule)])]
  if (all.some(names.isNode)) return undefined
  return all.length === 0 ? hold(managed, 'Unconfirmed', []) : remove(managed, 'NodeGone', all)
}

/** Nothing has to go by lists that are empty, or that know no Node for any rule of ours. */
function guardLists(parts: readonly NetworkPlan[], { nodes, mesh }: Observed): Pick<EgressPlan, 'deletes' | 'held'> {
  const deletes = parts.flatMap(part => part.deletes)
  const held = parts.flatMap(part => part.held)
  const isEmpty = nodes.length === 0 || mesh.hosts.length === 0 || mesh.nodes.length === 0
  if (isEmpty)
    return { deletes: [], held: [...held, ...deletes.map(each => ({ ...each, reason: 'EmptyList' as const }))] }
  if (parts.some(part => part.isOurs)) return { deletes, held }
  const [gone, others] = parted(deletes, ({ reason }) => reason === 'NodeGone')
  return { deletes: others, held: [...held, ...gone.map(each => ({ ...each, reason: 'PartialList' as const }))] }
}

function remove({ rule, label }: ManagedRule, reason: DeleteReason, nodes: readonly string[]): RuleDelete {
  return { action: 'delete', rule, index: label.index, reason, nodes }
}

function hold({ rule, label }: ManagedRule, reason: HeldDelete['reason'], nodes: readonly string[]): HeldDelete {
  return { action: 'delete', rule, index: label.index, reason, nodes }
}

function isDelete(found: RuleDelete | HeldDelete): found is RuleDelete {
  return found.reason === 'NodeGone'
}

function parted<T>(all: readonly T[], test: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(test), all.filter(one => !test(one))]
}
