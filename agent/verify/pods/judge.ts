import type { CheckResult } from '../../verdict/verdict.ts'
import { type Peer, pairOf, targetOf } from '../peers/peer.ts'

/** Whose pods' path is judged, and who was asked. */
export interface PodsAsked {
  /** Name of this node. */
  readonly node: string
  readonly peers: readonly Peer[]
}

/** One that does not answer may be cut off itself. */
const least = 2

/**
 * Says who is at fault where pods do not reach each other. This node fails only where it is at the end of every path that
 * is broken, and more than one is: none of two or more answers. A node whose host does not answer either may be down; it
 * counts for nothing. All else is a warning that names the pair.
 */
export function judgePods(results: readonly CheckResult[], { node, peers }: PodsAsked): readonly CheckResult[] {
  const pods = results.filter(each => each.code === 'pods')
  const silent = peers.filter(peer => pods.some(each => each.result === 'fail' && each.target === pairOf(node, peer)))
  const alive = silent.filter(peer => isAlive(peer, results))
  const isCommonEnd = alive.length >= least && !pods.some(each => each.result === 'pass')
  const blamed = new Set(isCommonEnd ? alive.map(peer => pairOf(node, peer)) : [])
  return results.map(each =>
    each.code === 'pods' && each.result === 'fail' && !blamed.has(each.target) ? { ...each, result: 'warn' } : each,
  )
}

/** Where the host was not asked, nothing speaks against it. */
function isAlive(peer: Peer, results: readonly CheckResult[]): boolean {
  const ofHost = results.filter(each => each.code === 'peers' && each.from === 'host')
  return ofHost.length === 0 || ofHost.some(each => each.target === targetOf(peer) && each.result === 'pass')
}
