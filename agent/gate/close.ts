import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import type { JsonPatchStep } from '../kube/node-writer.ts'
import type { NodeVerdict } from './board.ts'
import { hasRoom, type NodeCount } from './budget.ts'
import type { GateHistory } from './history.ts'
import { closeSteps, findMarks } from './taints.ts'

/** What a decision to taint a node again is made from. */
export interface CloseInput {
  readonly node: KubeNode
  readonly verdict: NodeVerdict
  readonly settings: GateSettings
  readonly history: GateHistory
  /** undefined = nobody has counted yet. */
  readonly count: NodeCount | undefined
  readonly nowMs: number
}

/** Leave the node as it is, count the tainted nodes and ask again, or taint it. */
export type Closing =
  | { readonly kind: 'leave'; readonly why: string }
  | { readonly kind: 'count' }
  | { readonly kind: 'taint'; readonly steps: readonly JsonPatchStep[] }

/**
 * Older verdicts are no reason to taint: they are from before the API let us write, and what was wrong may have been
 * the API. The next run comes within half a minute and brings a newer one.
 */
const freshMs = 5_000
/** Somebody who keeps taking our taint off gets a quiet node, not a write war. */
const leastBetweenTaintsMs = 10_000

/** Says whether a node that was let in is shut again. Each reason to leave it alone stands for itself. Pure. */
export function planClosing({ node, verdict, settings, history, count, nowMs }: CloseInput): Closing {
  const { streak } = verdict
  if (settings.mode !== 'continuous') return leave('the mode is bootstrap')
  if (verdict.uid !== node.uid) return leave('the verdict is about another node')
  if (verdict.verdict.passed) return leave('the node passes')
  if (findMarks(node, settings).taintAt.length > 0) return leave('the node is tainted')
  if (streak.runs < settings.bad) return leave('too few runs have failed')
  if (streak.ageMs > freshMs) return leave('the verdict is too old')
  if (isWithin(nowMs, history.taintedMs, leastBetweenTaintsMs)) return leave('the taint was taken off just now')
  if (isWithin(nowMs, history.refusal?.atMs, history.refusal?.waitMs ?? 0)) return leave('there was no room just now')
  if (count === undefined) return { kind: 'count' }
  if (!hasRoom(count, settings)) return leave('as many nodes are tainted as may be')
  return { kind: 'taint', steps: closeSteps(node, settings) }
}

function leave(why: string): Closing {
  return { kind: 'leave', why }
}

/** Whether less than `spanMs` have passed since; a clock that went back tells nothing. */
export function isWithin(nowMs: number, sinceMs: number | undefined, spanMs: number): boolean {
  if (sinceMs === undefined) return false
  const agoMs = nowMs - sinceMs
  return agoMs >= 0 && agoMs < spanMs
}

/** Counting nodes is a large request, and where one node finds no room many do: ask less and less often. */
const leastRefusalMs = 30_000
const mostRefusalMs = 600_000

/** What to remember when there was no room. */
export function refuse(before: GateHistory['refusal'], nowMs: number): NonNullable<GateHistory['refusal']> {
  const waitMs = before === undefined ? leastRefusalMs : Math.min(before.waitMs * 2, mostRefusalMs)
  return { atMs: nowMs, waitMs }
}
