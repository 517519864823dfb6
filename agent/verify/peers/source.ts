import * as v from 'valibot'
import type { KubeApi } from '../../kube/api.ts'
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
  const how = { method: 'GET', signal, timeoutMs: limitMs } as const
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`
  try {
    const query = { labelSelector: `kubernetes.io/service-name=${serviceName}`, resourceVersion: '0' }
    const found = parseSlices(await kube.request({ ...how, path: slices, query }).catch(() => undefined))
    if (found.length > 0) return found
    return parseNodes(await kube.request({ ...how, path: '/api/v1/nodes', query: { limit: mostNodes } }))
  } catch {
    return undefined
  }
}

const slicesShape = v.object({
  items: v.array(
    v.object({
      endpoints: v.nullish(
        v.array(
          v.object({
            addresses: v.array(v.string()),
            nodeName: v.nullish(v.string()),
            conditions: v.nullish(v.object({ ready: v.nullish(v.boolean()) })),
          }),
        ),
      ),
    }),
  ),
})

/** Reads a list of EndpointSlices; anything else has no peers in it. */
export function parseSlices(reply: unknown): readonly Peer[] {
  const parsed = v.safeParse(slicesShape, reply)
  if (!parsed.success) return []
  const endpoints = parsed.output.items.flatMap(item => item.endpoints ?? [])
  const peers = endpoints.flatMap(({ addresses: [address], nodeName, conditions }) =>
    address === undefined || nodeName == null ? [] : [{ node: nodeName, address, ready: conditions?.ready !== false }],
  )
  return [...new Map(peers.map(peer => [peer.node, peer])).values()]
}

const condition = v.object({ type: v.string(), status: v.string() })
const nodesShape = v.object({
  items: v.array(
    v.object({
      metadata: v.object({ name: v.string() }),
      status: v.nullish(
        v.object({
          addresses: v.nullish(v.array(v.object({ type: v.string(), address: v.string() }))),
          conditions: v.nullish(v.array(condition)),
        }),
      ),
    }),
  ),
})

/** Reads a list of Nodes; only one whose kubelet and agent are well is sure to answer. */
export function parseNodes(reply: unknown): readonly Peer[] {
  const parsed = v.safeParse(nodesShape, reply)
  if (!parsed.success) return []
  return parsed.output.items.flatMap(({ metadata, status }) => {
    const address = status?.addresses?.find(each => each.type === 'InternalIP')?.address
    if (address === undefined) return []
    const isTrue = (type: string) =>
      status?.conditions?.some(each => each.type === type && each.status === 'True') === true
    return [{ node: metadata.name, address, ready: isTrue('Ready') && isTrue('nopal.io/NetworkReady') }]
  })
}
