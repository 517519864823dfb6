import type { Place } from './body.ts'
import type { RuleBody } from './client.ts'
import type { EgressRule } from './world.ts'

/** Why a write. */
export type WriteReason = 'NoRule' | 'RangeChanged' | 'Drifted' | 'NodeReplaced'
/** Why a rule has to go. */
export type DeleteReason = 'Duplicate' | 'NodeGone' | 'CIDRGone'
/** Why one that has to go is held. */
export type HoldReason = 'OtherCluster' | 'EmptyList' | 'PartialList' | 'Unconfirmed' | 'Cap'

/** A rule to be made, changed, or taken over for a node that it does not name. */
export interface RuleWrite {
  readonly action: 'create' | 'update' | 'adopt'
  readonly place: Place
  /** undefined = to be made. */
  readonly rule: EgressRule | undefined
  readonly body: RuleBody
  readonly reason: WriteReason
}

/** A rule that has to go. */
export interface RuleDelete {
  readonly action: 'delete'
  readonly rule: EgressRule
  readonly index: number
  readonly reason: DeleteReason
  /** Kubernetes Nodes by whose names the rule goes: gone, or one that has no use for it. */
  readonly nodes: readonly string[]
}

/** A rule that would have to go, and why it stays. */
export interface HeldDelete extends Omit<RuleDelete, 'reason'> {
  readonly reason: HoldReason
}
