import { nodeOfName } from './label.ts'
import type { Membership } from './memberships.ts'
import type { ManagedRule } from './owners.ts'

/** Which of a node's rules is for which of its ranges. */
export interface Assignment {
  /** By index; undefined = there is none for it. */
  readonly kept: readonly (ManagedRule | undefined)[]
  /** A second one for a range that has one. */
  readonly doubles: readonly ManagedRule[]
  /** For a range that the node does not have. */
  readonly stale: readonly ManagedRule[]
}

/**
 * By range first, then by index: a rule whose range is still wanted is never given another one, so that no range is
 * without a rule for a moment when a node's CIDRs change places.
 */
export function assignRules(membership: Membership, rules: readonly ManagedRule[]): Assignment {
  const left = new Set(rules)
  const take = (choices: readonly ManagedRule[]) => {
    const [best] = choices
    if (best !== undefined) left.delete(best)
    return best
  }
  const byRange = membership.ranges.map((range, index) => {
    const same = rules.filter(rule => rule.range === range)
    return take(same.toSorted(byWorth(membership, index)))
  })
  const wanted = new Set(membership.ranges)
  const kept = byRange.map((found, index) => {
    if (found !== undefined) return found
    const free = [...left].filter(rule => rule.label.index === index && !wanted.has(rule.range ?? ''))
    return take(free.toSorted(byWorth(membership, index)))
  })
  const others = [...left]
  return {
    kept,
    doubles: others.filter(({ range }) => wanted.has(range ?? '')),
    stale: others.filter(({ range }) => !wanted.has(range ?? '')),
  }
}

/** The same order for every leader: what needs no write is best, then the oldest, then the lowest id. */
function byWorth(membership: Membership, index: number): (one: ManagedRule, other: ManagedRule) => number {
  const faults = ({ rule, label }: ManagedRule) => [
    isBound(membership, rule.nodeIds) ? 0 : 1,
    label.index === index ? 0 : 1,
    rule.enabled ? 0 : 1,
    nodeOfName(rule.name) === membership.node.name ? 0 : 1,
  ]
  const key = (managed: ManagedRule) =>
    [...faults(managed), String(managed.rule.raw.created_at ?? ''), managed.rule.id].join(' ')
  return (one, other) => (key(one) < key(other) ? -1 : 1)
}

/** Whether a rule names a node of the membership. */
export function isBound({ ids }: Membership, nodeIds: readonly string[]): boolean {
  return nodeIds.some(id => ids.includes(id))
}
