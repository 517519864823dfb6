import { createHash } from 'node:crypto'

/** Another agent. */
export interface Peer {
  /** Name of its node. */
  readonly node: string
  readonly address: string
  /** Whether the cluster says that it works: its silence then counts. */
  readonly ready: boolean
}

/** More would tell no more about this node, and each costs every other node a part of its share. */
export const mostPeers = 3

/**
 * The few others that this node probes. Each node weighs all others by a hash of both names and takes the heaviest, so
 * that the probes spread evenly over the cluster and a node that comes or goes changes next to nothing.
 */
export function choosePeers(node: string, peers: readonly Peer[], most = mostPeers): readonly Peer[] {
  const others = peers.filter(peer => peer.node !== node && peer.address !== '')
  const weigh = (peer: Peer) => createHash('sha256').update(`${node}\n${peer.node}`).digest('hex')
  const weighed = others.map(peer => ({ peer, weight: weigh(peer) }))
  // Agents that are known to work prove more than those that may still be starting.
  weighed.sort((a, b) => Number(b.peer.ready) - Number(a.peer.ready) || (a.weight < b.weight ? 1 : -1))
  return weighed.slice(0, most).map(({ peer }) => peer)
}
