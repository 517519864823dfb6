import type { HeldDelete, RuleDelete, RuleWrite } from './actions.ts'
import type { Unmatched } from './memberships.ts'
import type { Outlook } from './pass.ts'
import type { NetworkCount } from './plan.ts'

/** One thing that is to be done, or is held. */
export interface ActionView {
  readonly action: 'create' | 'update' | 'adopt' | 'delete'
  readonly network: string
  /** Kubernetes Node; null where the rule names none. */
  readonly node: string | null
  readonly index: number
  readonly range: string
  /** Of the rule; null where it is to be made. */
  readonly id: string | null
  readonly reason: string
}

/** The document of `nopal egress --output json`. */
export interface EgressDocument {
  readonly cluster: string
  readonly actions: readonly ActionView[]
  readonly held: readonly ActionView[]
  readonly unmatched: readonly Unmatched[]
  readonly networks: readonly NetworkView[]
}

/** Figures of one network. */
interface NetworkView extends NetworkCount {
  readonly held: number
}

export function describeOutlook(cluster: string, { plan, deletes, held }: Outlook): EgressDocument {
  return {
    cluster,
    actions: [...plan.writes.map(viewOfWrite), ...deletes.map(viewOfDelete)],
    held: held.map(viewOfDelete),
    unmatched: plan.unmatched,
    networks: plan.networks.map(one => ({
      ...one,
      held: held.filter(({ rule }) => rule.network === one.network).length,
    })),
  }
}

export function viewOfWrite({ action, place, rule, reason }: RuleWrite): ActionView {
  const { membership, index, range } = place
  return { action, network: membership.network, node: membership.node.name, index, range, id: rule?.id ?? null, reason }
}

export function viewOfDelete({ action, rule, nodes, index, reason }: RuleDelete | HeldDelete): ActionView {
  const { network, range, id } = rule
  return { action, network, node: nodes[0] ?? null, index, range, id, reason }
}
