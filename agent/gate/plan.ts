import type { GateSettings } from '../config/settings.ts'
import type { NodeEvent } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import type { ConditionWrite, JsonPatchStep } from '../kube/node-writer.ts'
import type { Verdict } from '../verify/verdict.ts'
import {
  type ConditionText,
  conditionType,
  describeVerdict,
  type Gravity,
  planCondition,
  verifying,
} from './condition.ts'
import { findMarks, liftSteps } from './taints.ts'

/** A verdict and the node it is about. */
export interface NodeVerdict {
  /** UID of the Node that was verified. */
  readonly uid: string
  readonly verdict: Verdict
}

/** What the gate remembers between plans. */
export interface GateHistory {
  /** When our taint was last lifted from this node. */
  readonly liftedMs: number | undefined
}

/** Why pods that land now would lack interfaces: the lift waits for it, the checks do not. */
export interface Hold {
  /** False while it is only the moment that an agent's start takes. */
  readonly lasting: boolean
  readonly message: string
}

/** Everything that a plan is made from. */
export interface GateInput {
  readonly node: KubeNode
  /** The newest verdict; undefined = none that still counts. */
  readonly verdict: NodeVerdict | undefined
  readonly settings: GateSettings
  readonly history: GateHistory
  /** Absent = nothing holds the lift up. */
  readonly hold?: Hold | undefined
  readonly gravity: Gravity
  readonly nowMs: number
}

/** One write and why. Done in order; the first that fails ends the plan. */
export type GateAction =
  | {
      readonly kind: 'marks'
      /** What the patch does to our taint; `keep` = only the label changes. */
      readonly taint: 'lift' | 'keep'
      readonly steps: readonly JsonPatchStep[]
      readonly why: string
    }
  | { readonly kind: 'condition'; readonly condition: ConditionWrite; readonly why: string }
  | { readonly kind: 'event'; readonly event: NodeEvent; readonly why: string }

export interface GatePlan {
  readonly actions: readonly GateAction[]
  /** Milliseconds until there will be something to do that nobody wakes us for. */
  readonly againMs: number | undefined
}

/** Somebody who keeps putting our taint back gets a quiet node, not a write war. */
export const leastBetweenLiftsMs = 10_000

/** Says what to write so that the node shows its verdict. Pure. */
export function planGate(input: GateInput): GatePlan {
  const { node, verdict, gravity } = input
  const waiting = { actions: planWaiting(input), againMs: undefined }
  if (verdict === undefined || verdict.uid !== node.uid) return waiting
  const hold = verdict.verdict.passed && isClosed(input) ? input.hold : undefined
  if (hold?.lasting === false) return waiting
  const text = hold === undefined ? describeVerdict(verdict.verdict, gravity) : describeHold(hold)
  const marks = hold === undefined ? planMarks(input, verdict.verdict) : { actions: [], againMs: undefined }
  const told = planCondition(node, text, input.nowMs)
  return {
    actions: [
      ...marks.actions,
      ...(told === undefined ? [] : [{ kind: 'condition', condition: told, why: text.reason } as const]),
      ...planEvents(node, text).map(event => ({ kind: 'event', event, why: text.reason }) as const),
      ...marks.actions.flatMap(eventOfMarks),
    ],
    againMs: marks.againMs,
  }
}

/** An open node stays open: what its pods have, they have. */
function isClosed({ node, settings }: GateInput): boolean {
  const { taintAt, labelled } = findMarks(node, settings)
  return taintAt.length > 0 || !labelled
}

function describeHold({ message }: Hold): ConditionText {
  return { status: 'False', reason: 'NotInstalled', message }
}

/** A node that has proved itself before stays as it is while it is verified again after a restart of the agent. */
function planWaiting({ node, settings, nowMs }: GateInput): readonly GateAction[] {
  const known = node.conditions.find(condition => condition.type === conditionType)
  const { taintAt, labelled } = findMarks(node, settings)
  const proved = known !== undefined && known.status !== 'Unknown' && labelled && taintAt.length === 0
  const failed = known?.status === 'False'
  if (proved || failed) return []
  const condition = planCondition(node, verifying, nowMs)
  return condition === undefined ? [] : [{ kind: 'condition', condition, why: verifying.reason }]
}

function planMarks(
  input: GateInput,
  verdict: Verdict,
): { actions: readonly MarksAction[]; againMs: number | undefined } {
  const { node, settings, history, nowMs } = input
  const { taintAt, labelled } = findMarks(node, settings)
  const nothing = { actions: [], againMs: undefined }
  if (!verdict.passed || (labelled && taintAt.length === 0)) return nothing
  const taint = taintAt.length > 0 ? 'lift' : 'keep'
  const sinceLiftMs = history.liftedMs === undefined ? Number.POSITIVE_INFINITY : nowMs - history.liftedMs
  if (taint === 'lift' && sinceLiftMs >= 0 && sinceLiftMs < leastBetweenLiftsMs) {
    return { actions: [], againMs: leastBetweenLiftsMs - sinceLiftMs }
  }
  return { actions: [{ kind: 'marks', taint, steps: liftSteps(node, settings), why: 'Verified' }], againMs: undefined }
}

type MarksAction = Extract<GateAction, { kind: 'marks' }>

function eventOfMarks(action: MarksAction): readonly GateAction[] {
  if (action.taint !== 'lift') return []
  const event = { type: 'Normal', reason: 'TaintLifted', note: 'the network is verified, pods may land here' } as const
  return [{ kind: 'event', event, why: action.why }]
}

/** An Event for a verdict that differs from what the node says of itself so far. */
function planEvents(node: KubeNode, text: ConditionText): readonly NodeEvent[] {
  const known = node.conditions.find(condition => condition.type === conditionType)
  if (known?.status === text.status && known.reason === text.reason) return []
  if (text.status === 'True') return [{ type: 'Normal', reason: 'NetworkVerified', note: text.message }]
  return [{ type: 'Warning', reason: 'NetworkFailed', note: `${text.reason}: ${text.message}` }]
}
