import { retryAfterMs } from '../runtime/backoff.ts'
import type { RemedyInput } from './input.ts'
import type { NodeSight } from './sight.ts'
import type { Worker } from './worker.ts'

/** A worker has verified the node: it may have pods. */
export interface Lift {
  readonly kind: 'lift'
  readonly sight: NodeSight
  readonly worker: Worker
}

/** A worker is of no use any more. */
export interface Removal {
  readonly kind: 'remove'
  readonly worker: Worker
  /** A kubelet that is gone will not say that it has ended the pod. */
  readonly force: boolean
  readonly why: string
}

/** As kube-node-ready names them. */
export type NodeState = 'verified' | 'unverified' | 'verifying' | 'failed'

/** What is to happen with one node. */
export interface NodePlan {
  readonly sight: NodeSight
  readonly state: NodeState
  /** Whether somebody has found its network failing, and nobody well since. */
  readonly failing: boolean
  readonly actions: readonly (Lift | Removal)[]
  /** The worker that it is due for at that time. */
  readonly start: { readonly attempt: number; readonly failures: number; readonly atMs: number } | undefined
  /** The worker that was the last to fail, where no retry is left. */
  readonly lastFailed: Worker | undefined
}

/** A worker as it counts now, and when that changes by itself. */
export interface SettledWorker extends Worker {
  readonly againMs: number | undefined
  /** kubelet does nothing about it. */
  readonly abandoned: boolean
}

/** A pod that kubelet has not even started by then says nothing of the node's network. */
const startLimitMs = 2 * 60_000
/** A pod that is still there so long after it should be gone has no kubelet. */
const goneLimitMs = 30_000
/** A proof is of its time: who comes upon it later has the node verified again. */
const proofMs = 60_000

/** A worker that has not ended when it must have is lost: kubelet is gone, or cannot start it. Pure. */
export function settleWorker(worker: Worker, { limitMs, nowMs }: RemedyInput): SettledWorker {
  const { createdMs, state, endedMs, goneByMs } = worker
  if (endedMs !== undefined) return { ...worker, againMs: undefined, abandoned: false }
  const limitsMs = [createdMs + (state === 'waiting' ? startLimitMs : limitMs)]
  if (goneByMs !== undefined) limitsMs.push(goneByMs + goneLimitMs)
  const againMs = Math.min(...limitsMs)
  if (nowMs < againMs) return { ...worker, againMs, abandoned: false }
  const words = state === 'waiting' ? 'kubelet has not started it' : 'kubelet has not ended it'
  return { ...worker, state: 'lost', endedMs: againMs, words, againMs: undefined, abandoned: true }
}

/** What is written to be rid of a worker: nothing while kubelet is at it. */
export function toRemoval(worker: SettledWorker, why: string, { nowMs }: RemedyInput): readonly Removal[] {
  const { goneByMs } = worker
  const overdue = goneByMs !== undefined && nowMs >= goneByMs + goneLimitMs
  if (goneByMs !== undefined && !overdue) return []
  return [{ kind: 'remove', worker, force: overdue || worker.abandoned, why }]
}

/** @param workers settled ones of that node */
export function planNode(sight: NodeSight, workers: readonly SettledWorker[], input: RemedyInput): NodePlan {
  const agentFails = sight.agent === 'failed'
  const base = { sight, failing: agentFails, start: undefined, lastFailed: undefined }
  const clear = (why: string) => workers.flatMap(worker => toRemoval(worker, why, input))
  if (!sight.tainted)
    return { ...base, state: agentFails ? 'failed' : 'verified', actions: clear('the node is not tainted') }
  if (sight.agent === 'passed' || agentFails)
    return { ...base, state: agentFails ? 'failed' : 'unverified', actions: clear('its own agent speaks for the node') }
  const [last, ...older] = workers.toSorted((a, b) => b.attempt - a.attempt)
  const silent = last === undefined ? planFirst(sight, input) : planNext(sight, last, input)
  const superseded = older.flatMap(worker => toRemoval(worker, 'a later one has taken its place', input))
  return { ...base, ...silent, actions: [...superseded, ...silent.actions] }
}

type SilentPlan = Omit<NodePlan, 'sight'>

const nothing = { actions: [], start: undefined, lastFailed: undefined }

function planFirst({ agent, silentSinceMs }: NodeSight, { settings, nowMs }: RemedyInput): SilentPlan {
  const atMs = agent === 'wanted' ? nowMs : silentSinceMs + settings.deadlineMs
  return { ...nothing, state: 'unverified', failing: false, start: { attempt: 1, failures: 0, atMs } }
}

/** A tainted node of which only workers can tell, by the last of them. */
function planNext(sight: NodeSight, last: Worker, { settings, limitMs, nowMs }: RemedyInput): SilentPlan {
  const { attempt, state, endedMs } = last
  const failures = last.failures + (state === 'failed' ? 1 : 0)
  const failing = failures > 0
  // One that is being deleted is forgotten once it is gone.
  if (endedMs === undefined || last.goneByMs !== undefined) return { ...nothing, state: 'verifying', failing }
  if (state === 'verified') {
    // By the API's clock, not by the node's.
    const fits = nowMs - last.createdMs < limitMs + proofMs
    if (fits)
      return { ...nothing, state: 'verifying', failing: false, actions: [{ kind: 'lift', sight, worker: last }] }
    return {
      ...nothing,
      state: 'unverified',
      failing: false,
      start: { attempt: attempt + 1, failures: 0, atMs: nowMs },
    }
  }
  const isFinal = failures > settings.maxRetries
  const pauseMs = retryAfterMs(attempt, { ...settings, maxRetries: attempt })
  const atMs = Math.min(endedMs, nowMs) + (isFinal ? Math.max(settings.deadlineMs, pauseMs) : pauseMs)
  return {
    ...nothing,
    state: failing ? 'failed' : 'unverified',
    failing,
    start: { attempt: attempt + 1, failures, atMs },
    lastFailed: isFinal && state === 'failed' ? last : undefined,
  }
}
