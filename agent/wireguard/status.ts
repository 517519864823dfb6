import type { StatusSection } from '../report/status.ts'
import type { PeerView } from './classify.ts'
import { judgeEgress, type OwnEgress } from './egress.ts'
import { isBad } from './present.ts'
import type { MeshState } from './state.ts'

/** What is told of the mesh. */
export function createMeshStatus(current: () => MeshState | undefined, egress: () => OwnEgress): StatusSection {
  return {
    json() {
      const state = current()
      const { peers, missing } = egress()
      const own = { peers, routed: peers - missing.length, missing }
      if (state === undefined) return { wireguard: null, egress: own }
      const { devices, held } = state
      const shown = devices.map(({ name, kind, readable, peers: all }) => ({
        name,
        kind,
        readable,
        peers: countClasses(all),
        links: all.map(toLink),
      }))
      return { wireguard: { devices: shown, incidents: state.incidents.size, held }, egress: own }
    },
    facts: () => [
      { name: 'mesh', text: describe(current()) },
      { name: 'egress', text: describeEgress(egress()) },
    ],
  }
}

function describeEgress(egress: OwnEgress): string {
  const { target, message } = judgeEgress(egress)
  return `${target}: ${message}`
}

function countClasses(peers: readonly PeerView[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const peer of peers) counts[peer.class] = (counts[peer.class] ?? 0) + 1
  return counts
}

function describe(state: MeshState | undefined): string {
  if (state === undefined) return 'not looked at yet'
  if (state.devices.length === 0) return 'no WireGuard device'
  const devices = state.devices.map(({ name, readable, peers }) => {
    const counts = Object.entries(countClasses(peers)).map(([found, count]) => `${count} ${found}`)
    return `${name}: ${readable ? counts.join(', ') || 'no peers' : 'cannot be read'}`
  })
  const healing = state.incidents.size
  return `${devices.join('; ')}${healing === 0 ? '' : `; ${healing} not proved to be right again`}`
}

/** One peer, in short; where it is, only of one that is not where it should be: anybody may read this. */
function toLink(peer: PeerView) {
  const { node, publicKey, endpoint, handshakeAge, detail, missingAllowedIPs: missing } = peer
  const why = missing.length === 0 ? detail : `no allowed-ip for ${missing.join(', ')}`
  const wrong = isBad(peer) ? { bad: true, endpoint, why } : { bad: false }
  return { node, publicKey: publicKey.slice(0, 8), class: peer.class, handshakeAge, ...wrong }
}
