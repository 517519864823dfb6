import * as v from 'valibot'

/**
 * What has become of a worker pod. `waiting`: nobody has started it; `lost`: it ended, and not by what it found, which is
 * never the node's fault.
 */
export type WorkerState = 'waiting' | 'running' | 'verified' | 'failed' | 'lost'

/** A worker pod as the API has it. The pods of a node are all that is remembered of it, so a new leader knows as much. */
export interface Worker {
  readonly name: string
  readonly uid: string
  readonly nodeName: string
  readonly nodeUid: string
  /** 1 for the first pod of the node. */
  readonly attempt: number
  /** How many pods before this one have found the node failing. */
  readonly failures: number
  readonly state: WorkerState
  readonly createdMs: number
  readonly endedMs: number | undefined
  /** It is being deleted, and should be gone by then. */
  readonly goneByMs: number | undefined
  /** Why it ended as it did: its last words, or kubelet's. */
  readonly words: string
}

/** Labels of a worker pod; the first is what they are found by. */
export const workerLabels = {
  name: 'app.kubernetes.io/name',
  nodeUid: 'nopal.io/node-uid',
  attempt: 'nopal.io/attempt',
  failures: 'nopal.io/failures',
} as const

export const workerApp = 'nopal-worker'
export const workerContainer = 'verify'

const text = v.nullish(v.string(), '')
const terminated = v.object({ exitCode: v.number(), reason: text, message: text, finishedAt: text })

const podShape = v.object({
  metadata: v.object({
    name: v.string(),
    uid: v.string(),
    creationTimestamp: text,
    deletionTimestamp: text,
    labels: v.record(v.string(), v.string()),
  }),
  spec: v.object({ nodeName: v.string() }),
  status: v.nullish(
    v.object({
      phase: text,
      reason: text,
      message: text,
      containerStatuses: v.nullish(
        v.array(
          v.object({
            name: v.string(),
            state: v.nullish(v.object({ terminated: v.nullish(terminated) })),
          }),
        ),
      ),
    }),
  ),
})

type Pod = v.InferOutput<typeof podShape>

/** Reads a worker pod; undefined for anything that is none of ours. */
export function parseWorker(body: unknown): Worker | undefined {
  const result = v.safeParse(podShape, body)
  if (!result.success) return undefined
  const { metadata, spec } = result.output
  const { labels } = metadata
  const [attempt, failures] = [labels[workerLabels.attempt], labels[workerLabels.failures]].map(readCount)
  const nodeUid = labels[workerLabels.nodeUid]
  const createdMs = toMs(metadata.creationTimestamp)
  if (labels[workerLabels.name] !== workerApp || nodeUid === undefined || createdMs === undefined) return undefined
  if (attempt === undefined || attempt === 0 || failures === undefined) return undefined
  const { name, uid } = metadata
  const known = { name, uid, nodeName: spec.nodeName, nodeUid, attempt, failures, createdMs }
  const goneByMs = toMs(metadata.deletionTimestamp)
  return { ...known, goneByMs, ...readEnd(result.output, createdMs) }
}

function readCount(label: string | undefined): number | undefined {
  return label !== undefined && /^\d{1,9}$/.test(label) ? Number(label) : undefined
}

function toMs(time: string | null | undefined): number | undefined {
  const ms = Date.parse(time ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

function readEnd({ metadata, status }: Pod, createdMs: number): Pick<Worker, 'state' | 'endedMs' | 'words'> {
  const phase = status?.phase
  if (phase !== 'Succeeded' && phase !== 'Failed') {
    return { state: phase === 'Running' ? 'running' : 'waiting', endedMs: undefined, words: '' }
  }
  const container = status?.containerStatuses?.find(({ name }) => name === workerContainer)
  const end = container?.state?.terminated ?? undefined
  // The time is of the node's own clock.
  const endedMs = Math.max(createdMs, toMs(end?.finishedAt) ?? createdMs)
  // Whoever ends a pod from outside (deadline, eviction, deletion) may make it say anything with its last breath.
  const isOwn = !status?.reason && !metadata.deletionTimestamp
  const state = end !== undefined && isOwn ? stateOfExit(end) : 'lost'
  return { state, endedMs, words: state === 'verified' ? '' : describeEnd(status, end) }
}

type End = v.InferOutput<typeof terminated>

/** 1 is the network's fault; all others, of which 1 with another reason is one, are ours. */
function stateOfExit({ exitCode, reason }: End): WorkerState {
  if (exitCode === 0) return 'verified'
  return exitCode === 1 && reason === 'Error' ? 'failed' : 'lost'
}

function describeEnd(status: Pod['status'], end: End | undefined): string {
  const kubelet = [status?.reason, status?.message].filter(Boolean).join(': ')
  if (kubelet !== '') return kubelet
  return end === undefined
    ? 'it never ran'
    : [`exit code ${end.exitCode}`, end.reason, end.message].filter(Boolean).join(', ')
}
