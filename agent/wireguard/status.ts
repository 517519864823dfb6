import type { StatusSection, StatusTable } from '../report/status.ts'
import type { DeviceView, PeerView } from './classify.ts'
import { judgeEgress, type OwnEgress } from './egress.ts'
import { isBad } from './present.ts'
import type { MeshState } from './state.ts'

const mostRows = 50

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
      }))
      return { wireguard: { devices: shown, incidents: state.incidents.size, held }, egress: own }
    },
    facts: () => [
      { name: 'mesh', text: describe(current()) },
      { name: 'egress', text: describeEgress(egress()) },
    ],
    table: () => tableOf(current()?.devices ?? []),
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

/** Only what is wrong: a mesh of a thousand is a thousand rows. */
function tableOf(devices: readonly DeviceView[]): StatusTable | undefined {
  const rows = devices.flatMap(device =>
    device.peers
      .filter(isBad)
      .map(peer => [
        peer.node ?? '',
        device.name,
        peer.endpoint ?? '',
        { text: peer.class, tone: 'fail' as const },
        peer.missingAllowedIPs.length === 0 ? peer.detail : `no allowed-ip for ${peer.missingAllowedIPs.join(', ')}`,
      ]),
  )
  const head = ['Peer', 'Device', 'Endpoint', 'Class', 'Why']
  return rows.length === 0 ? undefined : { head, rows: rows.slice(0, mostRows) }
}
