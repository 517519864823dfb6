import type { KubeNode, NodeCondition } from '../kube/node.ts'
import type { JsonPatchStep } from '../kube/node-writer.ts'

/** What the gate knows of Nodes. */
export interface GateView {
  isTainted(node: KubeNode): boolean
  /** Takes taint and label where a verified node has them; fails if anyone has changed a taint since. */
  liftSteps(node: KubeNode): readonly JsonPatchStep[]
  readonly conditionType: string
  /** Reason of the condition where the agent wants a worker pod to have the last word. */
  readonly workerWanted: string
}

/** What a node's own agent says of it: `wanted` = the host is well, and a worker is to prove the path of pods. */
export type AgentWord = 'passed' | 'failed' | 'wanted' | 'none'

/** A Node as remedy looks at it. */
export interface NodeSight {
  readonly node: KubeNode
  readonly tainted: boolean
  readonly agent: AgentWord
  /** Since when nothing has been heard of the node, by the wall clock. */
  readonly silentSinceMs: number
}

/** An agent writes its condition at least so often. */
const heartbeatMs = 5 * 60_000

/** Puts together what a Node says. Pure. */
export function seeNode(
  node: KubeNode,
  gate: Pick<GateView, 'isTainted' | 'conditionType' | 'workerWanted'>,
  { deadlineMs, nowMs }: { readonly deadlineMs: number; readonly nowMs: number },
): NodeSight {
  const condition = node.conditions.find(({ type }) => type === gate.conditionType)
  const createdMs = node.createdMs ?? nowMs
  // One from the future was left by a clock that is wrong.
  const ageMs = Math.abs(nowMs - (condition?.heartbeatMs ?? Number.NEGATIVE_INFINITY))
  const fresh = ageMs < heartbeatMs + deadlineMs ? condition : undefined
  const agent = wordOf(fresh, gate.workerWanted)
  // An agent that began anew a moment ago is given its time.
  const heardMs = fresh === undefined ? condition?.heartbeatMs : fresh.transitionMs
  const silentSinceMs = Math.min(nowMs, Math.max(createdMs, heardMs ?? createdMs))
  return { node, tainted: gate.isTainted(node), agent, silentSinceMs }
}

function wordOf(condition: NodeCondition | undefined, workerWanted: string): AgentWord {
  if (condition?.status === 'True') return 'passed'
  if (condition?.status === 'False') return 'failed'
  return condition?.reason === workerWanted ? 'wanted' : 'none'
}

type Marks = Pick<GateView, 'isTainted' | 'conditionType'>

/** Whether a change of a Node is one to plan for: each of them is written every few minutes, for its heartbeats alone. */
export function isNews(before: KubeNode | undefined, after: KubeNode | undefined, gate: Marks): boolean {
  if (before === undefined || after === undefined || before.uid !== after.uid) return true
  return describe(before, gate) !== describe(after, gate)
}

function describe(node: KubeNode, { isTainted, conditionType }: Marks): string {
  const condition = node.conditions.find(({ type }) => type === conditionType)
  return [isTainted(node), condition?.status, condition?.reason].join(' ')
}
