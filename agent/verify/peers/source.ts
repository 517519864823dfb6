import * as v from 'valibot'
import type { KubeApi } from '../../kube/api.ts'
import { type EndpointSlice, readEndpointSlices } from '../../kube/endpoint-slices.ts'
import { type KubeNode, parseNode } from '../../kube/node.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Peer } from './peer.ts'

/** Where the other agents are. */
export interface PeerSource {
  /** Never throws: not to know any is not to be told apart from being alone. */
  peers(signal: AbortSignal): Promise<readonly Peer[]>
  /** What was read before is not to be trusted any more. */
  forget(): void
}

export interface PeerSourceOptions {
  readonly kube: KubeApi
  /** Namespace of the agents and of their Service. */
  readonly namespace: string
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limitMs: number
}

/** The headless Service over the agents, in daemonset/. */
const serviceName = 'nopal'
/** Where that Service does not exist, so many nodes are looked at and no more. */
const mostNodes = '20'
/** A settled agent asks the API next to nothing; who its peers are changes with the cluster, not with the minute. */
const keptMs = 30 * 60_000

/**
 * Finds peers by the agents' Service: one small list, kept for long, out of the API server's cache. Nodes are large and
 * many, so only the first few are looked at, and only where there is no such Service.
 */
export function createPeerSource(options: PeerSourceOptions): PeerSource {
  let known: { readonly peers: readonly Peer[]; readonly readMs: number } | undefined
  return {
    async peers(signal) {
      const nowMs = options.clock.monotonic()
      if (known !== undefined && nowMs - known.readMs < keptMs) return known.peers
      const peers = await readPeers(options, signal)
      if (peers !== undefined) known = { peers, readMs: nowMs }
      return peers ?? []
    },
    forget() {
      known = undefined
    },
  }
}

/** undefined = the API would not say. */
async function readPeers(options: PeerSourceOptions, signal: AbortSignal): Promise<readonly Peer[] | undefined> {
  const { kube, namespace, limitMs } = options
  const how = { signal, timeoutMs: limitMs }
  const service = { namespace, service: serviceName, fromCache: true }
  try {
    const found = peersOf(await readEndpointSlices(kube, { ...service, ...how }).catch(() => []))
    if (found.length > 0) return found
    const list = await kube.request({ method: 'GET', path: '/api/v1/nodes', query: { limit: mostNodes }, ...how })
    const { items } = v.parse(listShape, list)
    return items.flatMap(item => parseNode(item) ?? []).flatMap(peerOf)
  } catch {
    return undefined
  }
}

const listShape = v.object({ items: v.array(v.unknown()) })

/** A node once. */
function peersOf(slices: readonly EndpointSlice[]): readonly Peer[] {
  const peers = slices
    .flatMap(({ endpoints }) => endpoints)
    .flatMap(({ addresses: [address], nodeName: node, ready }) =>
      address === undefined || node === undefined ? [] : [{ node, address, ready }],
    )
  return [...new Map(peers.map(peer => [peer.node, peer])).values()]
}

/** Only one whose kubelet and agent are well is sure to answer. */
function peerOf({ name, addresses, conditions }: KubeNode): readonly Peer[] {
  const address = addresses.find(each => each.type === 'InternalIP')?.address
  if (address === undefined) return []
  const isTrue = (type: string) => conditions.some(each => each.type === type && each.status === 'True')
  return [{ node: name, address, ready: isTrue('Ready') && isTrue('nopal.io/NetworkReady') }]
}
