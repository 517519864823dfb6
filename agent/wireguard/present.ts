import { formatTable } from '../runtime/text-table.ts'
import type { DeviceView, EndpointClass, PeerView } from './classify.ts'

/** The classes of endpoints that a mesh does not work with. */
const badClasses: ReadonlySet<EndpointClass> = new Set(['leaked', 'loop', 'nested', 'stale'])

/** Whether a peer's endpoint is wrong or its node's pods cannot be reached through it. */
export function isBad(peer: PeerView): boolean {
  return badClasses.has(peer.class) || peer.missingAllowedIPs.length > 0
}

/** The document of `nopal wg --output json`, one line. */
export function formatDevicesJson(node: string, devices: readonly DeviceView[]): string {
  return `${JSON.stringify({ node, devices })}\n`
}

const headings = ['NODE', 'INTERFACE', 'ENDPOINT', 'CLASS', 'HANDSHAKE', 'ALLOWED-IPS', 'RX', 'TX']

/** The table of `nopal wg`, with a sentence for all that is not well. */
export function formatDevicesText(devices: readonly DeviceView[]): string {
  if (devices.length === 0) return 'this node has no WireGuard device\n'
  const rows = devices.flatMap(device => device.peers.map(peer => toRow(device, peer)))
  const notes = devices.flatMap(device => [
    ...(device.fault === undefined ? [] : [`${device.name} (${device.kind}) cannot be read: ${device.fault}`]),
    ...device.peers.flatMap(peer => describePeer(device, peer)),
  ])
  const quiet = devices.filter(device => device.readable && device.peers.length === 0)
  notes.push(...quiet.map(device => `${device.name} has no peers`))
  const table = rows.length === 0 ? [] : [formatTable([headings, ...rows])]
  return `${[...table, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n')}\n`
}

function toRow(device: DeviceView, peer: PeerView): readonly string[] {
  const missing = peer.missingAllowedIPs.length
  return [
    nameOf(peer),
    device.name,
    peer.endpoint ?? '-',
    peer.class,
    formatAge(peer.handshakeAge),
    missing === 0 ? 'ok' : `${missing} missing`,
    formatBytes(peer.rxBytes),
    formatBytes(peer.txBytes),
  ]
}

/** One that is no node goes by the begin of its key. */
function nameOf({ node, publicKey }: PeerView): string {
  return node ?? `(${publicKey.slice(0, 8)})`
}

function describePeer(device: DeviceView, peer: PeerView): readonly string[] {
  const name = `${nameOf(peer)} on ${device.name}`
  const wrong = badClasses.has(peer.class) ? [`${name}: ${peer.class}: endpoint ${peer.endpoint} ${peer.detail}`] : []
  const missing = peer.missingAllowedIPs.join(', ')
  return missing === '' ? wrong : [...wrong, `${name}: no allowed-ip for its pods' network ${missing}`]
}

const units = [
  { seconds: 86_400, letter: 'd' },
  { seconds: 3_600, letter: 'h' },
  { seconds: 60, letter: 'm' },
] as const

function formatAge(seconds: number | null): string {
  if (seconds === null) return 'never'
  const unit = units.find(each => seconds >= 2 * each.seconds)
  return unit === undefined ? `${Math.floor(seconds)}s` : `${Math.floor(seconds / unit.seconds)}${unit.letter}`
}

function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 5)
  if (power === 0) return `${bytes} B`
  return `${(bytes / 1024 ** power).toFixed(1)} ${'KMGTP'[power - 1]}iB`
}
