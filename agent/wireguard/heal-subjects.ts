import { formatSocketAddress, parseAddress, type SocketAddress } from './addresses.ts'
import type { DeviceView, PeerView } from './classify.ts'
import { type HealSubject, keyOf } from './heal-plan.ts'
import type { MeshMap } from './mesh-map.ts'

/** What is known besides what a look shows. */
export interface SubjectFacts {
  readonly map: MeshMap
  /** Keys of peers a packet of full size came through to. */
  readonly fullSize: ReadonlySet<string>
  /** By the clock that never jumps. */
  readonly nowMs: number
}

/** The peers that may be healed: nodes. Somebody's laptop is nobody's business here. */
export function healSubjects(devices: readonly DeviceView[], facts: SubjectFacts): readonly HealSubject[] {
  return devices.flatMap(device => device.peers.flatMap(peer => toSubject(device.name, peer, facts)))
}

function toSubject(device: string, peer: PeerView, { map, fullSize, nowMs }: SubjectFacts): readonly HealSubject[] {
  if (peer.node === null) return []
  const { publicKey, node, endpoint, handshakeAge, rxBytes } = peer
  return [
    {
      device,
      publicKey,
      node,
      class: peer.class,
      endpoint,
      handshakeMs: handshakeAge === null ? undefined : nowMs - handshakeAge * 1000,
      rxBytes,
      allowed: peer.missingAllowedIPs.length === 0,
      target: findTarget(peer, map),
      fullSize: fullSize.has(keyOf({ device, publicKey })),
    },
  ]
}

/** Where a peer should be; undefined where that is not known, wrong itself, or where it is already. */
function findTarget({ publicKey, endpoint }: PeerView, map: MeshMap): SocketAddress | undefined {
  const target = map.nodeOf(publicKey)?.endpointOf(publicKey)
  const address = target && parseAddress(target.address)
  if (target === undefined || address === undefined || map.faultOf(address) !== undefined) return undefined
  return formatSocketAddress(target) === endpoint ? undefined : target
}
