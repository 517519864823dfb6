import { mostOf } from '../runtime/share.ts'
import type { RemedyInput } from './input.ts'
import type { NodePlan } from './node-plan.ts'
import type { NodeSight } from './sight.ts'
import type { Worker } from './worker.ts'

/** The node has failed for good; the last guards are asked of the API itself. */
export interface Deletion {
  readonly kind: 'delete'
  readonly sight: NodeSight
  /** The last to have failed there. */
  readonly worker: Worker
}

/** Why no failed node is deleted now. */
export type HoldReason = 'SwitchedOff' | 'TooManyFailed' | 'NewLeader' | 'Budget'

/** Nodes that have failed for good and stay for now. */
export interface DeletionHold {
  readonly why: HoldReason
  readonly nodes: readonly NodeSight[]
  /** How many nodes fail, of how many. */
  readonly failing: number
  readonly total: number
  /** Milliseconds until time alone ends it. */
  readonly againMs: number | undefined
}

/** At most one a plan, the one that is silent longest; each reason to leave them all stands for itself. Pure. */
export function planDeletion(
  plans: readonly NodePlan[],
  input: RemedyInput,
): { readonly deletion: Deletion | undefined; readonly held: DeletionHold | undefined } {
  const candidates = plans
    .flatMap(({ sight, lastFailed }) =>
      lastFailed === undefined || input.spared.has(sight.node.uid) ? [] : [{ sight, worker: lastFailed }],
    )
    .toSorted((a, b) => a.sight.silentSinceMs - b.sight.silentSinceMs)
  if (candidates.length === 0) return { deletion: undefined, held: undefined }
  const failing = plans.filter(plan => plan.failing).length
  const hold = findHold({ failing, total: plans.length }, input)
  if (hold !== undefined) {
    const nodes = candidates.map(({ sight }) => sight)
    return { deletion: undefined, held: { ...hold, nodes, failing, total: plans.length } }
  }
  // What an old worker has found is asked once more first; that comes by itself.
  const found = candidates.find(
    ({ worker }) => input.nowMs - worker.createdMs < input.limitMs + input.settings.deadlineMs,
  )
  return { deletion: found && { kind: 'delete', ...found }, held: undefined }
}

function findHold(
  { failing, total }: Pick<DeletionHold, 'failing' | 'total'>,
  { settings, ledMs, deletedAgoMs }: RemedyInput,
): Pick<DeletionHold, 'why' | 'againMs'> | undefined {
  const { deleteIntervalMs } = settings
  if (!settings.deleteFailedNodes) return { why: 'SwitchedOff', againMs: undefined }
  if (failing > mostOf(total, settings.maxFailed)) return { why: 'TooManyFailed', againMs: undefined }
  // What a leader before us has deleted nobody has told us.
  if (ledMs < deleteIntervalMs) return { why: 'NewLeader', againMs: deleteIntervalMs - ledMs }
  const recent = deletedAgoMs.filter(agoMs => agoMs < deleteIntervalMs)
  return recent.length < settings.maxDeletes
    ? undefined
    : { why: 'Budget', againMs: deleteIntervalMs - Math.max(...recent) }
}
