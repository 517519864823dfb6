import type { ContainerRecord } from '../../cni/networks/record.ts'
import { isSamePod } from '../../cni/networks/same-pod.ts'
import type { NodePod } from '../kube/pod.ts'
import type { RuntimeSandbox } from './sandbox.ts'

/** A record and how it is doing at this moment. */
export interface SeenRecord {
  readonly record: ContainerRecord
  /** Since it was written last. */
  readonly ageMs: number
  /** kactus works on it. */
  readonly isHeld: boolean
  /** Its network namespace is there. */
  readonly hasNetns: boolean
}

/** One look at all that may be left over. */
export interface SweepSight {
  readonly records: readonly SeenRecord[]
  /** What the runtime has, ready or not. */
  readonly sandboxes: readonly RuntimeSandbox[]
  /** Pods of this node. */
  readonly pods: readonly NodePod[]
  /** Ids of containers that processes belong to. */
  readonly living: ReadonlySet<string>
}

/** As long as kubelet waits for its runtime to make a sandbox, and some more. */
const makingMs = 5 * 60_000

/**
 * The records that nobody has a sandbox for any more, as far as one look can tell; whoever acts on them has seen them twice.
 * Never one of a caller other than a kubelet's runtime: of probes and people's own the runtime does not know.
 */
export function suspectsOf({ records, sandboxes, pods, living }: SweepSight): readonly ContainerRecord[] {
  const known = new Set(sandboxes.map(({ containerId }) => containerId))
  const served = new Set(sandboxes.map(({ podUid }) => podUid))
  const waiting = pods.filter(({ phase, facts }) => phase !== 'ending' && !isServed(served, facts))
  return records
    .filter(({ record, isHeld }) => !isHeld && record.pod !== undefined && !known.has(record.containerId))
    .filter(({ record }) => !living.has(record.containerId))
    .filter(seen => !waiting.some(pod => isSame(pod, seen.record) && mayBeOf(pod, seen)))
    .map(({ record }) => record)
}

/**
 * A pod that has no sandbox may be having one made, which the runtime shows only when it is ready. One that runs in a
 * namespace that is there has one, whatever a runtime says: it may not be the pod's.
 */
function mayBeOf({ phase }: NodePod, { ageMs, hasNetns }: SeenRecord): boolean {
  return ageMs <= makingMs || (phase === 'running' && hasNetns)
}

function isSame({ namespace, name, facts }: NodePod, { pod }: ContainerRecord): boolean {
  return pod?.namespace === namespace && pod.name === name && isSamePod(facts, pod.uid)
}

/**
 * Whether the runtime's list is whole, as far as can be seen: every pod that runs has a sandbox in it, and no process is of
 * a container that kactus knows and the runtime does not.
 */
export function isWhole({ records, sandboxes, pods, living }: SweepSight): boolean {
  const known = new Set(sandboxes.map(({ containerId }) => containerId))
  const served = new Set(sandboxes.map(({ podUid }) => podUid))
  const lost = records.some(({ record }) => living.has(record.containerId) && !known.has(record.containerId))
  return (
    !lost &&
    pods.every(({ phase, hostNetwork, facts }) => phase !== 'running' || hostNetwork || isServed(served, facts))
  )
}

/** A static pod's sandbox has the UID that the pod has on its node. */
function isServed(served: ReadonlySet<string>, { uid, annotations }: NodePod['facts']): boolean {
  return served.has(uid) || served.has(annotations['kubernetes.io/config.hash'] ?? '')
}
