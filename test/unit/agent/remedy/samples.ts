import type { RemedySettings } from '../../../../agent/config/settings.ts'
import { type KubeNode, parseNode } from '../../../../agent/kube/node.ts'
import type { RemedyInput } from '../../../../agent/remedy/input.ts'
import type { RemedyAction } from '../../../../agent/remedy/plan.ts'
import type { AgentWord, NodeSight } from '../../../../agent/remedy/sight.ts'
import type { Worker } from '../../../../agent/remedy/worker.ts'

export const nowMs = Date.parse('2026-01-01T12:00:00Z')
export const second = 1_000
export const minute = 60 * second

export const settings: RemedySettings = {
  workers: true,
  deadlineMs: 5 * minute,
  image: undefined,
  namespace: 'nopal-workers',
  maxWorkers: 10,
  maxRetries: 5,
  retryBackoff: 'exponential',
  deleteFailedNodes: true,
  maxDeletes: 1,
  deleteIntervalMs: 10 * minute,
  maxFailed: { share: 0.2 },
}

/** kubelet ends a worker after this at the latest. */
export const limitMs = 7 * minute

export function nodeNamed(name: string, providerID?: string): KubeNode {
  const metadata = { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '2026-01-01T11:00:00Z' }
  const node = parseNode({ metadata, spec: { providerID } })
  if (node === undefined) throw new Error('the sample is no node')
  return node
}

/** A tainted node that has been silent for an hour. */
export function sightOf(name: string, change: Partial<NodeSight> = {}): NodeSight {
  return { node: nodeNamed(name), tainted: true, agent: 'none', silentSinceMs: nowMs - 60 * minute, ...change }
}

export function speaking(name: string, agent: AgentWord): NodeSight {
  return sightOf(name, { agent, silentSinceMs: nowMs })
}

/** A worker that was made a minute ago and ended so many seconds ago. */
export function workerOf(node: string, change: Partial<Worker> & { readonly endedAgoMs?: number } = {}): Worker {
  const { endedAgoMs, ...rest } = change
  return {
    name: `verify-${node}-${change.attempt ?? 1}`,
    uid: `pod-${node}-${change.attempt ?? 1}`,
    nodeName: node,
    nodeUid: `uid-${node}`,
    attempt: 1,
    failures: 0,
    state: 'failed',
    createdMs: nowMs - minute,
    endedMs: endedAgoMs === undefined ? undefined : nowMs - endedAgoMs,
    goneByMs: undefined,
    words: '',
    ...rest,
  }
}

export function inputOf(change: Partial<RemedyInput>): RemedyInput {
  const none = { nodes: [], workers: [], deletedAgoMs: [], spared: new Set<string>() }
  return { ...none, settings, limitMs, nowMs, ledMs: 60 * minute, ...change }
}

/** An action in a few words. */
export function nameOf(action: RemedyAction): string {
  if (action.kind === 'remove') return `${action.force ? 'force' : 'remove'} ${action.worker.name}`
  const { name } = action.sight.node
  return action.kind === 'start' ? `start ${name} ${action.attempt}/${action.failures}` : `${action.kind} ${name}`
}
