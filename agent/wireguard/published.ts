import type { NodeNetworkSpec, NodeNetworkStatus } from '../kube/node-network.ts'
import { type EndpointClass, findAbsent } from './classify.ts'
import { identityOf } from './device.ts'
import { chooseEndpoint, type EndpointCandidates } from './own-endpoint.ts'
import type { MeshState } from './state.ts'

/** What this node says of itself. */
export function describeSpec(
  { readings }: MeshState,
  own: EndpointCandidates & Pick<NodeNetworkSpec, 'podCIDRs' | 'podAddresses'>,
): NodeNetworkSpec {
  const devices = readings.flatMap(reading => {
    const { publicKey, listenPort = 0 } = identityOf(reading) ?? {}
    return publicKey === undefined ? [] : [{ name: reading.name, publicKey, listenPort }]
  })
  const { podCIDRs, podAddresses } = own
  return { devices, endpoint: chooseEndpoint(own), podCIDRs, podAddresses }
}

const classes: readonly EndpointClass[] = ['expected', 'lan', 'leaked', 'loop', 'nested', 'stale', 'unknown', 'none']

/** What this node has found about its peers. */
export function describePeers(state: MeshState): Pick<NodeNetworkStatus, 'peers' | 'missingAllowedIPs'> {
  const all = state.devices.flatMap(device => device.peers)
  const peers = Object.fromEntries(classes.map(each => [each, all.filter(peer => peer.class === each).length]))
  return { peers, missingAllowedIPs: findMissing(state) }
}

/** Of nodes that are no peers here too. One that cannot see its devices does not know. */
function findMissing({ devices, map }: MeshState): readonly string[] {
  if (!devices.some(device => device.readable)) return []
  const peers = devices.flatMap(device => device.peers)
  const missing = [
    ...peers.flatMap(peer => peer.missingAllowedIPs),
    ...findAbsent(devices, map).flatMap(node => node.podCIDRs.map(({ text }) => text)),
  ]
  return [...new Set(missing)].sort()
}
