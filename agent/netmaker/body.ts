import { isJsonObject, type JsonObject } from '../../cni/spec/json.ts'
import { isBound } from './assignment.ts'
import type { RuleBody } from './client.ts'
import { writeDescription, writeName } from './label.ts'
import type { Membership } from './memberships.ts'
import type { ManagedRule } from './owners.ts'

/** One range of one membership: what a rule is made for. */
export interface Place {
  readonly membership: Membership
  readonly index: number
  readonly range: string
  readonly cluster: string
}

/** kaput-not's: the CNI's own route, of metric 0, wins. */
const metric = 500

/** The fields of a rule that are ours, as they should be. */
export function wordsOf({ membership, index, cluster }: Place) {
  return {
    name: writeName(membership.node.name, index, membership.ranges.length),
    description: writeDescription({ cluster, index }),
  }
}

/** A rule to be made. */
export function newBody(place: Place): RuleBody {
  const { membership, range } = place
  return { ...wordsOf(place), network: membership.network, range, nat: false, nodes: { [membership.ids[0]]: metric } }
}

/**
 * A rule put right: all of it as it came, with our fields as they should be. A PUT that names a dead node is refused
 * whatever else it changes, and tags or a domain would take nodes or range away again.
 */
export function repairedBody(place: Place, { rule, range }: ManagedRule, liveIds: ReadonlySet<string>): RuleBody {
  const { membership } = place
  const { raw } = rule
  const nodes = Object.entries(isJsonObject(raw.nodes) ? raw.nodes : {}).filter(([id]) => liveIds.has(id))
  const bound = isBound(membership, rule.nodeIds)
  return {
    ...raw,
    ...wordsOf(place),
    network: rule.network,
    range: range === place.range ? rule.range : place.range,
    nat: false,
    status: true,
    nodes: { ...Object.fromEntries(nodes), ...(bound ? {} : { [membership.ids[0]]: metric }) },
    ...(rule.domain === '' ? {} : { domain: '' }),
    ...(rule.tagged ? untagged(raw) : {}),
  }
}

/** Older versions have a list of tags. */
function untagged({ tags }: JsonObject): JsonObject {
  return { tags: Array.isArray(tags) ? [] : {} }
}
