import { nodeOfName, parseDescription, type RuleLabel } from './label.ts'
import type { Membership } from './memberships.ts'
import { canonicalRange } from './range.ts'
import type { EgressRule, Mesh } from './world.ts'

/** A rule of ours, and what its description says. */
export interface ManagedRule {
  readonly rule: EgressRule
  readonly label: RuleLabel
  /** Canonical; undefined where the server has something else. */
  readonly range: string | undefined
}

/** The managed rules of one network, by whose they are. */
export interface Owned {
  readonly byMembership: ReadonlyMap<Membership, readonly ManagedRule[]>
  /** Nobody's, as far as can be seen. */
  readonly stranded: readonly ManagedRule[]
  /** On nodes of ours, by another cluster's name. */
  readonly foreign: readonly ManagedRule[]
}

/** What is there of one network. */
export interface NetworkView {
  readonly memberships: readonly Membership[]
  readonly rules: readonly EgressRule[]
  /** Name of this cluster in the rules. */
  readonly cluster: string
  /** Ids of all nodes that there are. */
  readonly liveIds: ReadonlySet<string>
}

/** Ids of all nodes of a mesh, those that leave included: a rule may still name them. */
export function liveIdsOf({ nodes }: Mesh): ReadonlySet<string> {
  return new Set(nodes.map(({ id }) => id))
}

export function findOwners(view: NetworkView): Owned {
  const find = createFinder(view)
  const byMembership = new Map<Membership, ManagedRule[]>()
  const stranded: ManagedRule[] = []
  const foreign: ManagedRule[] = []
  for (const rule of view.rules) {
    const label = parseDescription(rule.description)
    if (label === undefined) continue
    const managed = { rule, label, range: canonicalRange(rule.range) }
    const membership = find(managed)
    if (label.cluster !== view.cluster) {
      if (rule.nodeIds.some(id => membership?.ids.includes(id))) foreign.push(managed)
    } else if (membership === undefined) stranded.push(managed)
    else byMembership.set(membership, [...(byMembership.get(membership) ?? []), managed])
  }
  return { byMembership, stranded, foreign }
}

/**
 * A rule is the membership's whose node it names. One that names no node that lives (the server empties it, or leaves the dead id)
 * is its whose name it has, else its who wants the range: so a node that has joined again gets its rules back.
 */
function createFinder({ memberships, liveIds }: NetworkView): (managed: ManagedRule) => Membership | undefined {
  const byId = new Map(memberships.flatMap(membership => membership.ids.map(id => [id, membership] as const)))
  const byName = new Map(memberships.map(membership => [membership.node.name, membership]))
  const byRange = Map.groupBy(
    memberships.flatMap(membership => membership.ranges.map(range => ({ range, membership }))),
    ({ range }) => range,
  )
  return ({ rule, range }) => {
    const name = nodeOfName(rule.name)
    const named = rule.nodeIds.map(id => byId.get(id)).filter(membership => membership !== undefined)
    if (named.length > 0) return named.find(membership => membership.node.name === name) ?? named[0]
    if (rule.nodeIds.some(id => liveIds.has(id))) return undefined
    if (name !== undefined) return byName.get(name)
    const wanting = byRange.get(range ?? '') ?? []
    return wanting.length === 1 ? wanting[0]?.membership : undefined
  }
}
