import { type KubeApi, KubeError } from './api.ts'
import {
  type NodeNetwork,
  type NodeNetworkSpec,
  type NodeNetworkStatus,
  nodeNetworksPath,
  parseNodeNetwork,
} from './node-network.ts'

/** Whose NodeNetwork it is. */
export interface NetworkOwner {
  readonly name: string
  readonly uid: string
}

/** Writes the NodeNetwork of one node. All return it as it is then, and throw KubeError. */
export interface NodeNetworkWriter {
  create(owner: NetworkOwner, spec: NodeNetworkSpec, signal: AbortSignal): Promise<NodeNetwork>
  setSpec(owner: NetworkOwner, spec: NodeNetworkSpec, signal: AbortSignal): Promise<NodeNetwork>
  setStatus(owner: NetworkOwner, status: NodeNetworkStatus, signal: AbortSignal): Promise<NodeNetwork>
}

export function createNodeNetworkWriter(api: KubeApi): NodeNetworkWriter {
  const pathOf = ({ name }: NetworkOwner) => `${nodeNetworksPath}/${encodeURIComponent(name)}`
  const patch = async (path: string, body: unknown, signal: AbortSignal) =>
    checked(await api.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal }))
  return {
    async create(owner, spec, signal) {
      const head = { apiVersion: 'nopal.io/v1alpha1', kind: 'NodeNetwork' }
      const body = { ...head, metadata: { name: owner.name, ...ownedBy(owner) }, spec: toSpec(spec) }
      return checked(await api.request({ method: 'POST', path: nodeNetworksPath, body, signal }))
    },
    setSpec: (owner, spec, signal) => patch(pathOf(owner), { metadata: ownedBy(owner), spec: toSpec(spec) }, signal),
    setStatus(owner, { observedMs, ...status }, signal) {
      const observedTime = new Date(observedMs).toISOString().replace(/\.\d+Z$/, 'Z')
      return patch(`${pathOf(owner)}/status`, { status: { ...status, observedTime } }, signal)
    },
  }
}

/** The object goes with its Node. */
function ownedBy({ name, uid }: NetworkOwner) {
  return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] }
}

/** `null` is how a merge patch takes a field away. */
function toSpec({ endpoint, ...spec }: NodeNetworkSpec) {
  return { ...spec, endpoint: endpoint ?? null }
}

function checked(body: unknown): NodeNetwork {
  const network = parseNodeNetwork(body)
  if (network === undefined) throw new KubeError('BadReply', 'the answer is no NodeNetwork')
  return network
}
