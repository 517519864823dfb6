import * as v from 'valibot'
import type { GateSettings } from '../config/settings.ts'

/** A Node as far as it decides about the address of its server. */
export interface PoolNode {
  readonly name: string
  /** Number of its server in Hetzner Cloud. */
  readonly server: number
  readonly ready: boolean
  /** Carries the label of a proved network, and not the taint. */
  readonly verified: boolean
  readonly cordoned: boolean
  /** It is being deleted, or says itself that load balancers are to leave it out. */
  readonly leaving: boolean
  readonly controlPlane: boolean
}

const labels = v.optional(v.nullable(v.record(v.string(), v.string())))
const nodeShape = v.object({
  metadata: v.object({ name: v.string(), deletionTimestamp: v.optional(v.nullable(v.string())), labels }),
  spec: v.object({
    providerID: v.string(),
    unschedulable: v.optional(v.nullable(v.boolean())),
    taints: v.optional(v.nullable(v.array(v.object({ key: v.string(), effect: v.optional(v.string()) })))),
  }),
  status: v.optional(
    v.object({ conditions: v.optional(v.nullable(v.array(v.object({ type: v.string(), status: v.string() })))) }),
  ),
})

const excluded = 'node.kubernetes.io/exclude-from-external-load-balancers'
const scaledDown = 'ToBeDeletedByClusterAutoscaler'

/** Reads a Node; undefined for one that is no server of Hetzner Cloud: `hrobot://1` and `hcloud://bm-1` are bare metal. */
export function parsePoolNode(body: unknown, gate: Pick<GateSettings, 'taint' | 'label'>): PoolNode | undefined {
  const result = v.safeParse(nodeShape, body)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  const [, server] = /^hcloud:\/\/([1-9]\d{0,15})$/.exec(spec.providerID) ?? []
  if (server === undefined) return undefined
  const has = metadata.labels ?? {}
  const taints = spec.taints ?? []
  const isShut = taints.some(({ key, effect }) => key === gate.taint.key && effect === gate.taint.effect)
  return {
    name: metadata.name,
    server: Number(server),
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
    verified: has[gate.label.key] === gate.label.value && !isShut,
    cordoned: spec.unschedulable === true,
    leaving: Boolean(metadata.deletionTimestamp) || excluded in has || taints.some(({ key }) => key === scaledDown),
    controlPlane: 'node-role.kubernetes.io/control-plane' in has || 'node-role.kubernetes.io/master' in has,
  }
}
