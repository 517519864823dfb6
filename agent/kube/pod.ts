import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { PodFacts } from '../../cni/networks/lookup-protocol.ts'

/** What multus' users read which interfaces a pod has by. */
export const STATUS_ANNOTATION = 'k8s.v1.cni.cncf.io/network-status'

/** `starting`: its sandbox may be in the making. `ending`: it has been told to end, or has ended. */
export type PodPhase = 'starting' | 'running' | 'ending'

/** A pod of this node, as far as its networks go. */
export interface NodePod {
  readonly namespace: string
  readonly name: string
  readonly facts: PodFacts
  readonly hostNetwork: boolean
  readonly phase: PodPhase
  /** Digest of the status annotation that it carries; undefined = it carries none. */
  readonly told: string | undefined
}

const shape = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    deletionTimestamp: v.nullish(v.string()),
    annotations: v.nullish(v.record(v.string(), v.unknown())),
  }),
  spec: v.nullish(v.object({ hostNetwork: v.nullish(v.boolean()) })),
  status: v.nullish(v.object({ phase: v.nullish(v.string()) })),
})

/** Reads what the API says of a pod, beside the facts that were read already; undefined = it is no pod. */
export function nodePodFrom(body: unknown, facts: PodFacts): NodePod | undefined {
  const result = v.safeParse(shape, body)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  const told = metadata.annotations?.[STATUS_ANNOTATION]
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    facts,
    hostNetwork: spec?.hostNetwork === true,
    phase: phaseOf(status?.phase ?? '', metadata.deletionTimestamp ?? ''),
    told: typeof told === 'string' ? digestOf(told) : undefined,
  }
}

/** Stands in memory for a text that may be long. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}

function phaseOf(phase: string, deletionTimestamp: string): PodPhase {
  if (deletionTimestamp !== '' || phase === 'Succeeded' || phase === 'Failed') return 'ending'
  return phase === 'Running' ? 'running' : 'starting'
}
