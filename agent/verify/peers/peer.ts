import { createHash } from 'node:crypto'

/** Another agent. */
export interface Peer {
  /** Name of its node. */
  readonly node: string
  readonly address: string
  /** Whether the cluster says that it works: its silence then counts. */
  readonly ready: boolean
  /** Of its node's standing sandbox; absent = none is known. */
  readonly podAddresses?: readonly string[]
}

/** What results call a peer. */
export function targetOf({ node, address }: Peer): string {
  return `${node} (${address})`
}

/** What results call the pods of a node and of a peer. */
export function pairOf(node: string, peer: Peer): string {
  return `${node} to ${peer.node}`
}

/** Which others a node asks, run after run. */
export interface PeerTurns {
  /** The few for this run, out of all that are known. */
  next(known: readonly Peer[]): readonly Peer[]
  /** Who is asked in this run. */
  chosen(): readonly Peer[]
  /** Who of them did not answer, by what results call them or their pods. */
  noteSilent(targets: ReadonlySet<string>): void
}

/** A network that swallows more than these is told of all the same. */
const mostAgain = 10

/**
 * Takes all others in turn, so many a run: each would be asked by somebody if it were always the same few, but a path
 * between two nodes can be broken alone. Each node goes through the others in an order of its own, by a hash of both
 * names, so that the probes spread evenly; one that comes or goes changes nobody's order. Who was silent is asked once
 * more in the next run, besides those whose turn it is.
 */
export function createPeerTurns(node: string, most: number): PeerTurns {
  const asked = new Set<string>()
  let chosen: readonly Peer[] = []
  let silent: ReadonlySet<string> = new Set()
  return {
    next(known) {
      const others = inOrder(node, known)
      const again = most === 0 ? [] : others.filter(peer => silent.has(peer.node)).slice(0, mostAgain)
      const rest = others.filter(peer => !again.includes(peer))
      const fresh = rest.filter(peer => !asked.has(peer.node)).slice(0, most)
      // Where all have been asked, the next round begins in this run.
      if (fresh.length < most) asked.clear()
      const begun = fresh.length < most ? rest.filter(peer => !fresh.includes(peer)).slice(0, most - fresh.length) : []
      for (const peer of begun.length > 0 ? begun : fresh) asked.add(peer.node)
      chosen = [...fresh, ...begun, ...again]
      return chosen
    },
    chosen: () => chosen,
    noteSilent(targets) {
      const isSilent = (peer: Peer) => targets.has(targetOf(peer)) || targets.has(pairOf(node, peer))
      silent = new Set(chosen.filter(isSilent).map(peer => peer.node))
    },
  }
}

/** Agents that are known to work prove more than those that may still be starting. */
function inOrder(node: string, known: readonly Peer[]): readonly Peer[] {
  const others = known.filter(peer => peer.node !== node && peer.address !== '')
  const weigh = (peer: Peer) => createHash('sha256').update(`${node}\n${peer.node}`).digest('hex')
  return others
    .map(peer => ({ peer, weight: weigh(peer) }))
    .sort((a, b) => Number(b.peer.ready) - Number(a.peer.ready) || (a.weight < b.weight ? 1 : -1))
    .map(({ peer }) => peer)
}
