import { type Deletion, type DeletionHold, planDeletion } from './deletion-plan.ts'
import type { RemedyInput } from './input.ts'
import {
  type Lift,
  type NodePlan,
  type NodeState,
  planNode,
  type Removal,
  settleWorker,
  toRemoval,
} from './node-plan.ts'
import type { NodeSight } from './sight.ts'
import type { Worker } from './worker.ts'

/** A worker is due for the node. */
export interface Start {
  readonly kind: 'start'
  readonly sight: NodeSight
  readonly attempt: number
  readonly failures: number
}

/** One write and why. */
export type RemedyAction = Start | Lift | Removal | Deletion

export interface RemedyPlan {
  readonly actions: readonly RemedyAction[]
  /** Milliseconds until there is something to do that nobody wakes us for. */
  readonly againMs: number | undefined
  /** By the name of the node. */
  readonly states: ReadonlyMap<string, NodeState>
  readonly held: DeletionHold | undefined
}

/** Where nobody does anything, what an agent has said is old news after a while. */
const countAgainMs = 60_000

/** Says what the leader does next for all nodes. Pure. */
export function planRemedy(input: RemedyInput): RemedyPlan {
  const workers = input.workers.map(worker => settleWorker(worker, input))
  const byNode = Map.groupBy(workers, ({ nodeUid }) => nodeUid)
  const plans = input.nodes.map(sight => planNode(sight, byNode.get(sight.node.uid) ?? [], input))
  const known = new Set(input.nodes.map(({ node }) => node.uid))
  const strays = workers.filter(({ nodeUid }) => !known.has(nodeUid))
  const { due, times } = planStarts(plans, workers.filter(isActive).length, input)
  const { deletion, held } = planDeletion(plans, input)
  const states = new Map(plans.map(({ sight, state }) => [sight.node.name, state]))
  if (!input.settings.workers) return { actions: [], againMs: countAgainMs, states, held: undefined }
  return {
    actions: [
      ...plans.flatMap(({ actions }) => actions),
      ...strays.flatMap(worker => toRemoval(worker, 'its node is gone', input)),
      ...(deletion === undefined ? [] : [deletion]),
      ...due,
    ],
    againMs: soonest([
      ...[...times, ...workers.flatMap(({ againMs }) => againMs ?? [])].map(atMs => atMs - input.nowMs),
      ...(held?.againMs === undefined ? [] : [held.againMs]),
    ]),
    states,
    held,
  }
}

/** A pod counts until it has ended, whatever it is told. */
function isActive({ endedMs }: Worker): boolean {
  return endedMs === undefined
}

/** Who has been tried least is first, and of those who waits longest: nodes that fail take no turn from new ones. */
function planStarts(
  plans: readonly NodePlan[],
  active: number,
  { settings, nowMs }: RemedyInput,
): { readonly due: readonly Start[]; readonly times: readonly number[] } {
  const wishes = plans.flatMap(({ sight, start }) => (start === undefined ? [] : [{ sight, ...start }]))
  const due = wishes
    .filter(({ atMs }) => atMs <= nowMs)
    .toSorted((a, b) => a.attempt - b.attempt || a.atMs - b.atMs || (a.sight.node.name < b.sight.node.name ? -1 : 1))
    .slice(0, Math.max(0, settings.maxWorkers - active))
    .map(({ sight, attempt, failures }) => ({ kind: 'start', sight, attempt, failures }) as const)
  return { due, times: wishes.map(({ atMs }) => atMs) }
}

function soonest(waitsMs: readonly number[]): number | undefined {
  const coming = waitsMs.filter(waitMs => waitMs > 0)
  return coming.length === 0 ? undefined : Math.min(...coming)
}
