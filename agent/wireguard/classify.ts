import { type Address, contains, formatSocketAddress, type Prefix, parseAddress } from './addresses.ts'
import type { DeviceReading, Peer } from './device.ts'
import { isPrivate, type MeshMap, type MeshNode } from './mesh-map.ts'

/**
 * What an endpoint is: where the peer should be (`expected`), on a LAN (`lan`), where it can never be (`leaked`), inside
 * the tunnel that it is the end of (`loop`), behind another tunnel (`nested`), silent (`stale`), of nobody or nowhere
 * that is known (`unknown`), or not there yet (`none`).
 */
export type EndpointClass = 'expected' | 'lan' | 'leaked' | 'loop' | 'nested' | 'stale' | 'unknown' | 'none'

/** A device with its peers classified, as `nopal wg` shows it. */
export interface DeviceView {
  readonly name: string
  readonly kind: DeviceReading['kind']
  readonly readable: boolean
  /** Why it cannot be read, where it cannot. */
  readonly fault?: string
  readonly peers: readonly PeerView[]
}

/** A peer, classified. */
export interface PeerView {
  readonly publicKey: string
  /** The node that has the key; null = none. */
  readonly node: string | null
  readonly endpoint: string | null
  readonly class: EndpointClass
  /** Why, for people; empty where nothing is wrong. */
  readonly detail: string
  /** Seconds; null = never. */
  readonly handshakeAge: number | null
  readonly allowedIPs: readonly string[]
  /** Pod CIDRs of its node that are no allowed-ip of any peer with that node here. */
  readonly missingAllowedIPs: readonly string[]
  readonly rxBytes: number
  readonly txBytes: number
}

/** How the kernel would send to an endpoint. */
export interface Route {
  /** Interface that it leaves by; empty = by none that is known. */
  readonly device: string
  /** Whether that is the end of a tunnel, of whatever kind. */
  readonly tunnel: boolean
}

/** What is known besides the devices themselves. */
export interface Surroundings {
  readonly map: MeshMap
  /** undefined = not known. */
  routeTo(address: string, fwmark: number): Route | undefined
  /** Whether much is sent to a peer and nothing comes back. */
  isRunaway(device: string, publicKey: string): boolean
  /** How long a peer has been seen to be there, in milliseconds. */
  knownForMs(device: string, publicKey: string): number
  /** How long ago the last handshake of a peer was, in milliseconds; undefined = there was none. */
  handshakeAgeMs(device: string, peer: Peer): number | undefined
}

/** After so long without a handshake WireGuard takes no more packets of a session. */
export const sessionMs = 180_000

/** Classifies every peer of every device. */
export function classifyDevices(readings: readonly DeviceReading[], around: Surroundings): readonly DeviceView[] {
  const missing = findMissing(readings, around.map)
  const devices = new Set(readings.map(({ name }) => name))
  return readings.map(reading => {
    const { name, kind } = reading
    if ('fault' in reading) return { name, kind, readable: false, fault: reading.fault.message, peers: [] }
    const { fwmark, peers } = reading.device
    const on = { device: name, devices, fwmark }
    return { name, kind, readable: true, peers: peers.map(peer => viewPeer(peer, on, { ...around, missing })) }
  })
}

/** The nodes that publish keys of which none is a peer here. A key that several claim is one of theirs all the same. */
export function findAbsent(devices: readonly DeviceView[], map: MeshMap): readonly MeshNode[] {
  const peers = new Set(devices.flatMap(device => device.peers.map(peer => peer.publicKey)))
  return map.others.filter(({ publicKeys }) => publicKeys.length > 0 && !publicKeys.some(key => peers.has(key)))
}

interface On {
  readonly device: string
  /** Names of all WireGuard devices of this node. */
  readonly devices: ReadonlySet<string>
  readonly fwmark: number
}

type Missing = ReadonlyMap<string, readonly string[]>

function viewPeer(peer: Peer, on: On, around: Surroundings & { readonly missing: Missing }): PeerView {
  const node = around.map.nodeOf(peer.publicKey)
  const { endpoint } = peer
  const ageMs = around.handshakeAgeMs(on.device, peer)
  return {
    publicKey: peer.publicKey,
    node: node?.name ?? null,
    endpoint: endpoint === undefined ? null : formatSocketAddress(endpoint),
    ...judge(peer, node, on, around),
    handshakeAge: ageMs === undefined ? null : ageMs / 1000,
    allowedIPs: peer.allowedIPs.map(({ text }) => text),
    missingAllowedIPs: (node && around.missing.get(node.name)) ?? [],
    rxBytes: peer.rxBytes,
    txBytes: peer.txBytes,
  }
}

interface Judgement {
  readonly class: EndpointClass
  readonly detail: string
}

function judge(peer: Peer, node: MeshNode | undefined, on: On, around: Surroundings): Judgement {
  if (peer.endpoint === undefined) return { class: 'none', detail: '' }
  // Somebody's laptop roams as it likes.
  if (node === undefined) return { class: 'unknown', detail: 'no node has this key' }
  const address = parseAddress(peer.endpoint.address)
  if (address === undefined) return { class: 'unknown', detail: 'no address' }
  const { map, routeTo } = around
  const route = routeTo(peer.endpoint.address, on.fwmark)
  const wrong = judgeLoop(peer, address, { on, route, around }) ?? judgeLeak(map, address) ?? judgeNesting(on, route)
  return wrong ?? judgeSilence(peer, on, around) ?? judgePlace(peer, node, address)
}

/**
 * What is sent to an endpoint inside the peer's own networks may come back into the tunnel, and out again, without end.
 * Whether it does, the kernel's route tells, or what is sent; where neither is known, it is taken to.
 */
function judgeLoop(
  peer: Peer,
  address: Address,
  { on, route, around }: { readonly on: On; readonly route: Route | undefined; readonly around: Surroundings },
): Judgement | undefined {
  const own = peer.allowedIPs.find(prefix => holds(prefix, address))
  if (own === undefined) return undefined
  const canBe = around.map.faultOf(address) === undefined
  // One that sends and hears nothing, as of a camera, is no loop where the kernel's way leads elsewhere.
  const leadsAway = canBe && route !== undefined && route.device !== '' && route.device !== on.device
  if (!leadsAway && around.isRunaway(on.device, peer.publicKey))
    return {
      class: 'loop',
      detail: `lies in the peer's own ${own.text}: what is sent to it comes back into the tunnel`,
    }
  if (route?.device === on.device)
    return { class: 'loop', detail: `lies in the peer's own ${own.text} and is routed into ${on.device} itself` }
  // Half of all addresses or more: a way out to the internet, whose endpoint is always inside.
  const narrow = own.length > 1
  if (route !== undefined || !narrow || !canBe) return undefined
  return { class: 'loop', detail: `lies in the peer's own ${own.text}` }
}

function holds(prefix: Prefix, address: Address): boolean {
  return contains(prefix, { ...address, length: address.family === 4 ? 32 : 128 })
}

function judgeLeak(map: MeshMap, address: Address): Judgement | undefined {
  const fault = map.faultOf(address)
  return fault === undefined ? undefined : { class: 'leaked', detail: fault }
}

function judgeNesting({ device, devices }: On, route: Route | undefined): Judgement | undefined {
  if (route === undefined || !(route.tunnel || devices.has(route.device))) return undefined
  const through = route.device === device ? `${device} itself` : `tunnel ${route.device}`
  return { class: 'nested', detail: `is routed into ${through}: large packets do not fit` }
}

function judgeSilence(peer: Peer, on: On, around: Surroundings): Judgement | undefined {
  if (peer.keepalive === 0) return undefined
  const ageMs = around.handshakeAgeMs(on.device, peer)
  const silentMs = ageMs ?? around.knownForMs(on.device, peer.publicKey)
  if (silentMs < sessionMs) return undefined
  const since = ageMs === undefined ? 'no handshake yet' : `no handshake for ${Math.floor(silentMs / 1000)} s`
  return { class: 'stale', detail: since }
}

function judgePlace(peer: Peer, node: MeshNode, address: Address): Judgement {
  const expected = node.endpointOf(peer.publicKey)
  if (expected !== undefined && expected.address === peer.endpoint?.address) return { class: 'expected', detail: '' }
  if (isPrivate(address)) return { class: 'lan', detail: '' }
  const detail = expected === undefined ? `${node.name} does not say where it is` : `expected at ${expected.address}`
  return { class: 'unknown', detail }
}

/** Per node the pod CIDRs that no peer with that node has; a node with several devices needs them on one. */
function findMissing(readings: readonly DeviceReading[], map: MeshMap): Missing {
  const allowed = new Map<MeshNode, (readonly Prefix[])[]>()
  for (const peer of readings.flatMap(reading => ('device' in reading ? reading.device.peers : []))) {
    const node = map.nodeOf(peer.publicKey)
    if (node !== undefined) allowed.set(node, [...(allowed.get(node) ?? []), peer.allowedIPs])
  }
  return new Map([...allowed].map(([node, lists]) => [node.name, lacking(node.podCIDRs, lists)]))
}

function lacking(wanted: readonly Prefix[], lists: readonly (readonly Prefix[])[]): readonly string[] {
  const isAllowed = (pods: Prefix) => lists.some(list => list.some(prefix => contains(prefix, pods)))
  return wanted.filter(pods => !isAllowed(pods)).map(({ text }) => text)
}
