import type { GateSettings } from '../config/settings.ts'
import type { KubeEvent } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import type { ConditionWrite, JsonPatchStep } from '../kube/node-writer.ts'
import type { NodeVerdict } from './board.ts'
import type { NodeCount } from './budget.ts'
import { isWithin, planClosing } from './close.ts'
import {
  type ConditionText,
  conditionType,
  describeVerdict,
  planCondition,
  verifying,
  workerWanted,
} from './condition.ts'
import type { GateHistory } from './history.ts'
import { findMarks, liftSteps } from './taints.ts'

/** Why pods that land now would lack interfaces: the lift waits for it, the checks do not. */
export interface Hold {
  /** False while it is only the moment that an agent's start takes. */
  readonly lasting: boolean
  readonly message: string
  /** A worker pod has the last word, and the leader opens the node by it. Nothing else is amiss. */
  readonly worker?: boolean
}

/** Everything that a plan is made from. */
export interface GateInput {
  readonly node: KubeNode
  /** The newest verdict; undefined = none that still counts. */
  readonly verdict: NodeVerdict | undefined
  readonly settings: GateSettings
  readonly history: GateHistory
  /** Absent = nobody has counted. */
  readonly count?: NodeCount | undefined
  /** Absent = nothing holds the lift up. */
  readonly hold?: Hold | undefined
  readonly nowMs: number
}

/** One write and why. Done in order; the first that fails ends the plan. */
export type GateAction =
  | {
      readonly kind: 'marks'
      /** What the patch does to our taint; `keep` = only the label changes. */
      readonly taint: 'lift' | 'keep' | 'add'
      readonly steps: readonly JsonPatchStep[]
      readonly why: string
    }
  | { readonly kind: 'condition'; readonly condition: ConditionWrite; readonly why: string }
  | { readonly kind: 'event'; readonly event: KubeEvent; readonly why: string }

export interface GatePlan {
  readonly actions: readonly GateAction[]
  /** Milliseconds until there will be something to do that nobody wakes us for. */
  readonly againMs: number | undefined
  /** What must be known before there is more to do: how many nodes are tainted, or what one more run finds. */
  readonly asks: 'count' | 'run' | undefined
}

/** Somebody who keeps putting our taint back gets a quiet node, not a write war. */
const leastBetweenLiftsMs = 10_000

/** Most first verdicts are there by then: to say that it is being waited for would be one more write for each node. */
const quickMs = 1_500

const notInstalled = 'NotInstalled'
const settling = 'Settling'

/** Says what to write so that the node shows its verdict. Pure. */
export function planGate(input: GateInput): GatePlan {
  const { node, verdict } = input
  if (verdict === undefined || verdict.uid !== node.uid) return planWaiting(input)
  const hold = verdict.verdict.passed ? input.hold : undefined
  if (hold?.lasting === false && isClosed(input)) return planWaiting(input)
  if (hold?.lasting === true && !hold.worker) return assemble(input, describeHold(hold), stay)
  if (isSettling(input, verdict))
    return assemble(input, describeSettling(input.settings), waitUntilGood(input, verdict))
  if (hold?.worker && findMarks(node, input.settings).taintAt.length > 0) return assemble(input, workerWanted, stay)
  const text = describeVerdict(verdict.verdict)
  return assemble(input, text, verdict.verdict.passed ? planOpening(input) : planShutting(input, verdict))
}

/** What happens to taint and label. */
interface MarksPlan {
  readonly marks: MarksAction | undefined
  readonly againMs: number | undefined
  readonly asks: GatePlan['asks']
}

type MarksAction = Extract<GateAction, { kind: 'marks' }>

const stay: MarksPlan = { marks: undefined, againMs: undefined, asks: undefined }

/** To let pods in comes before all talk of it; what shuts a node out is told first. */
function assemble(input: GateInput, text: ConditionText, { marks, againMs, asks }: MarksPlan): GatePlan {
  const condition = planCondition(input.node, text, input.nowMs)
  const told: readonly GateAction[] = [
    ...(condition === undefined ? [] : [{ kind: 'condition', condition, why: text.reason } as const]),
    ...planEvents(input.node, text).map(event => ({ kind: 'event', event, why: text.reason }) as const),
  ]
  if (marks === undefined) return { actions: told, againMs, asks }
  const event = eventOfMarks(marks, text)
  const actions = marks.taint === 'add' ? [...told, marks, ...event] : [marks, ...told, ...event]
  return { actions, againMs, asks }
}

/** An open node stays open whatever holds a lift up, but it says so: what its pods have, they have. */
function isClosed({ node, settings }: GateInput): boolean {
  const { taintAt, labelled } = findMarks(node, settings)
  return taintAt.length > 0 || !labelled
}

function describeHold({ message }: Hold): ConditionText {
  return { status: 'False', reason: notInstalled, message }
}

/** A node that has proved itself before stays as it is while it is verified again after a restart of the agent. */
function planWaiting({ node, settings, history, nowMs }: GateInput): GatePlan {
  const known = node.conditions.find(condition => condition.type === conditionType)
  const { taintAt, labelled } = findMarks(node, settings)
  const proved = known !== undefined && known.status !== 'Unknown' && labelled && taintAt.length === 0
  const failed = known?.status === 'False'
  const nothing = { actions: [], againMs: undefined, asks: undefined }
  if (proved || failed) return nothing
  if (isWithin(nowMs, history.knownMs, quickMs))
    return { ...nothing, againMs: quickMs - (nowMs - (history.knownMs ?? 0)) }
  const condition = planCondition(node, verifying, nowMs)
  return condition === undefined
    ? nothing
    : { ...nothing, actions: [{ kind: 'condition', condition, why: verifying.reason }] }
}

function planOpening({ node, settings, history, nowMs }: GateInput): MarksPlan {
  const { taintAt, labelled } = findMarks(node, settings)
  if (labelled && taintAt.length === 0) return stay
  if (isWithin(nowMs, history.openedMs, leastBetweenLiftsMs)) {
    return { ...stay, againMs: leastBetweenLiftsMs - (nowMs - (history.openedMs ?? nowMs)) }
  }
  const taint = taintAt.length > 0 ? 'lift' : 'keep'
  return { ...stay, marks: { kind: 'marks', taint, steps: liftSteps(node, settings), why: 'Verified' } }
}

function planShutting({ node, settings, history, count, nowMs }: GateInput, verdict: NodeVerdict): MarksPlan {
  const closing = planClosing({ node, verdict, settings, history, count, nowMs })
  if (closing.kind === 'count') return { ...stay, asks: 'count' }
  if (closing.kind === 'leave') return stay
  const why = describeVerdict(verdict.verdict).reason
  return { ...stay, marks: { kind: 'marks', taint: 'add', steps: closing.steps, why } }
}

/**
 * Whether a node that has failed passes again, but not for long enough. The Node itself says that it failed, so this
 * holds over a restart of the agent; a node that passes its first verification never waits.
 */
function isSettling({ node, settings }: GateInput, { verdict, streak }: NodeVerdict): boolean {
  if (settings.mode !== 'continuous' || !verdict.passed || streak.spanMs >= settings.goodMs) return false
  const known = node.conditions.find(condition => condition.type === conditionType)
  const failed = known?.status === 'False' && known.reason !== notInstalled
  return failed && findMarks(node, settings).taintAt.length > 0
}

function describeSettling({ goodMs }: GateSettings): ConditionText {
  const message = `every check passes again; the taint goes once that has held for ${goodMs / 1000} s`
  return { status: 'False', reason: settling, message }
}

/** The time must end with a run that passes, not with silence since the last one. */
function waitUntilGood({ settings }: GateInput, { streak }: NodeVerdict): MarksPlan {
  const leftMs = settings.goodMs - streak.spanMs - streak.ageMs
  return leftMs > 0 ? { ...stay, againMs: leftMs } : { ...stay, asks: 'run' }
}

function eventOfMarks({ taint, why }: MarksAction, text: ConditionText): readonly GateAction[] {
  if (taint === 'keep') return []
  const lifted = { type: 'Normal', reason: 'TaintLifted', note: 'the network is verified, pods may land here' } as const
  const added = { type: 'Warning', reason: 'TaintAdded', note: `${text.reason}: ${text.message}` } as const
  return [{ kind: 'event', event: taint === 'lift' ? lifted : added, why }]
}

/** An Event for a verdict that differs from what the node says of itself so far. */
function planEvents(node: KubeNode, text: ConditionText): readonly KubeEvent[] {
  const known = node.conditions.find(condition => condition.type === conditionType)
  if (known?.status === text.status && known.reason === text.reason) return []
  if (text.reason === settling || text.status === 'Unknown') return []
  if (text.status === 'True') return [{ type: 'Normal', reason: 'NetworkVerified', note: text.message }]
  return [{ type: 'Warning', reason: 'NetworkFailed', note: `${text.reason}: ${text.message}` }]
}
