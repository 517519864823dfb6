import type { NodeNetwork } from '../kube/node-network.ts'
import type { Reason } from '../verdict/reasons.ts'
import { parsePrefix } from './addresses.ts'
import type { Judgement } from './judge.ts'
import { nameSome } from './names.ts'

/** Where this node's pods are known in the mesh, as the other nodes say. */
export interface OwnEgress {
  /** Whether this node has a WireGuard device by which others could reach its pods. */
  readonly hasDevice: boolean
  /** This node's pod CIDRs, canonical. */
  readonly podCIDRs: readonly string[]
  /** Other nodes that have a WireGuard device and have said what they found. */
  readonly peers: number
  /** Those of them at which a pod CIDR of this node is no allowed-ip of its key. */
  readonly missing: readonly string[]
}

/** One peer that does not know this node may be at fault itself. */
const least = 2

/**
 * What the others publish of this node's pod CIDRs. They name what they lack, and soon; that they lack nothing any more
 * they need not say.
 */
export function findEgress(self: string, networks: Iterable<NodeNetwork>): OwnEgress {
  const all = [...networks]
  const own = all.find(({ name }) => name === self)?.spec
  const podCIDRs = own?.podCIDRs.flatMap(text => parsePrefix(text)?.text ?? []) ?? []
  const peers = all.filter(({ name, spec, status }) => name !== self && spec.devices.length > 0 && status !== undefined)
  const missing = peers.filter(({ status }) => podCIDRs.some(text => status?.missingAllowedIPs.includes(text)))
  const hasDevice = own !== undefined && own.devices.length > 0
  return { hasDevice, podCIDRs, peers: peers.length, missing: missing.map(({ name }) => name).sort() }
}

/** Says whether the mesh leads to this node's pods. */
export function judgeEgress({ hasDevice, podCIDRs, peers, missing }: OwnEgress): Judgement {
  const target = podCIDRs.join(', ') || 'pod CIDRs'
  const skip = (reason: Reason, message: string): Judgement => ({ target, result: 'skip', reason, message })
  if (podCIDRs.length === 0) return skip('NoNetwork', 'this node has published no pod CIDR')
  if (!hasDevice) return skip('NoDevice', 'this node has no WireGuard device')
  if (peers === 0) return skip('NoPeers', 'no other node has said what it routes')
  if (missing.length === 0) return { target, result: 'pass', message: `allowed-ips at all of ${peers} peers` }
  const nobody = missing.length === peers
  const message = nobody
    ? `no allowed-ip of this node at any of ${peers} peers`
    : `allowed-ips at ${peers - missing.length} of ${peers} peers, not at ${nameSome(missing)}`
  return { target, result: nobody && peers >= least ? 'fail' : 'warn', reason: 'CIDRNotRouted', message }
}
