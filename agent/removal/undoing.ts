import * as v from 'valibot'

/** How far the DaemonSet is whose pods take nopal off their nodes. */
export interface Undoing {
  /** Nodes that nopal is off. */
  readonly done: readonly string[]
  readonly left: readonly LeftNode[]
  /** Nothing more is to be waited for. */
  readonly complete: boolean
}

/** A node that nopal is still on. */
export interface LeftNode {
  readonly node: string
  /** For people. */
  readonly why: string
}

/** The names by which the parts of nopal are told apart. */
const nameLabel = 'app.kubernetes.io/name'
/** Of the DaemonSet and its pods: daemonset/chart/templates/uninstall.yaml. */
export const uninstallerName = 'nopal-uninstall'
const leaderName = 'nopal-leader'
const agentName = 'nopal'

const agentStays = 'its kubelet does not say that the agent has ended'

const condition = v.object({ type: v.string(), status: v.string(), message: v.optional(v.nullable(v.string()), '') })
const waiting = v.object({ reason: v.optional(v.string(), ''), message: v.optional(v.string(), '') })

const podShape = v.object({
  metadata: v.object({ labels: v.optional(v.record(v.string(), v.string()), {}) }),
  spec: v.object({ nodeName: v.optional(v.string()), affinity: v.optional(v.unknown()) }),
  status: v.optional(
    v.object({
      conditions: v.optional(v.array(condition), []),
      containerStatuses: v.optional(
        v.array(v.object({ state: v.optional(v.object({ waiting: v.optional(waiting) })) })),
        [],
      ),
    }),
  ),
})

const daemonSetShape = v.object({
  metadata: v.object({ generation: v.number() }),
  status: v.object({
    observedGeneration: v.optional(v.number(), 0),
    desiredNumberScheduled: v.optional(v.number(), 0),
  }),
})

/** A pod of nopal. */
export type OwnPod = v.InferOutput<typeof podShape>

/** Reads a pod; undefined for anything that is none. */
export function parseOwnPod(body: unknown): OwnPod | undefined {
  const result = v.safeParse(podShape, body)
  return result.success ? result.output : undefined
}

/** Says how far it is. Pure. `daemonSet` as the API server has it, `pods` those of all parts of nopal. */
export function undoingOf(daemonSet: unknown, pods: readonly OwnPod[]): Undoing {
  const of = (name: string) => pods.filter(({ metadata }) => metadata.labels[nameLabel] === name)
  const uninstallers = of(uninstallerName)
  const done = uninstallers.filter(isReady).flatMap(pod => nodeOf(pod) ?? [])
  const held = new Set(of(agentName).map(nodeOf))
  const left = uninstallers
    .filter(pod => !isReady(pod))
    .map(pod => ({ pod, node: nodeOf(pod) ?? 'a node that is not known' }))
    .map(({ pod, node }) => ({ node, why: held.has(node) ? agentStays : whyNot(pod) }))
  const read = v.safeParse(daemonSetShape, daemonSet)
  const { metadata, status } = read.success ? read.output : { metadata: undefined, status: undefined }
  // Before the controller has looked it has made no pod, and wants none.
  const counted = metadata !== undefined && status.observedGeneration >= metadata.generation
  const all = counted && done.length >= status.desiredNumberScheduled && left.length === 0
  // A leader that still runs would write its condition once more.
  return { done, left, complete: all && of(leaderName).length === 0 }
}

function isReady({ status }: OwnPod): boolean {
  return status?.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

const affinityShape = v.object({
  nodeAffinity: v.object({
    requiredDuringSchedulingIgnoredDuringExecution: v.object({
      nodeSelectorTerms: v.array(
        v.object({ matchFields: v.optional(v.array(v.object({ values: v.array(v.string()) }))) }),
      ),
    }),
  }),
})

/** A DaemonSet's pod says which node it is for before the scheduler has put it there. */
function nodeOf({ spec }: OwnPod): string | undefined {
  if (spec.nodeName !== undefined) return spec.nodeName
  const read = v.safeParse(affinityShape, spec.affinity)
  if (!read.success) return undefined
  const terms = read.output.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms
  return terms[0]?.matchFields?.[0]?.values[0]
}

function whyNot({ spec, status }: OwnPod): string {
  const scheduled = status?.conditions.find(({ type }) => type === 'PodScheduled')
  if (spec.nodeName === undefined)
    return `no pod can be started there: ${scheduled?.message || 'the scheduler says nothing'}`
  const wait = status?.containerStatuses[0]?.state?.waiting
  if (wait?.reason) return `its pod does not start: ${[wait.reason, wait.message].filter(Boolean).join(': ')}`
  return 'the pod that takes nopal off it is not done'
}
