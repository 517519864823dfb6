import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'

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

const excluded = 'node.kubernetes.io/exclude-from-external-load-balancers'
const scaledDown = 'ToBeDeletedByClusterAutoscaler'

/** A Node as the pool sees it; undefined for one that is no server of Hetzner Cloud: `hrobot://1` and `hcloud://bm-1` are bare metal. */
export function toPoolNode(node: KubeNode, gate: Pick<GateSettings, 'taint' | 'label'>): PoolNode | undefined {
  const [, server] = /^hcloud:\/\/([1-9]\d{0,15})$/.exec(node.providerId) ?? []
  if (server === undefined) return undefined
  const { labels = {}, taints = [], conditions } = node
  const isShut = taints.some(({ key, effect }) => key === gate.taint.key && effect === gate.taint.effect)
  return {
    name: node.name,
    server: Number(server),
    ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    verified: labels[gate.label.key] === gate.label.value && !isShut,
    cordoned: node.unschedulable,
    leaving: node.leaving || excluded in labels || taints.some(({ key }) => key === scaledDown),
    controlPlane: 'node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels,
  }
}
