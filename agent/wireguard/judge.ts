import type { Reason } from '../verdict/reasons.ts'
import type { Outcome } from '../verdict/verdict.ts'
import { type DeviceView, type EndpointClass, findAbsent, type PeerView } from './classify.ts'
import { type Incident, keyOf } from './heal-plan.ts'
import type { MeshMap } from './mesh-map.ts'
import { nameSome } from './names.ts'

/** What is to be judged: one look, and what is not over yet. */
export interface JudgeInput {
  readonly devices: readonly DeviceView[]
  readonly map: MeshMap
  readonly incidents: ReadonlyMap<string, Incident>
  /** When this node's own NodeNetwork was made, since 1970; undefined = it is not there yet. */
  readonly ownSinceMs: number | undefined
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** One answer of the check. */
export interface Judgement {
  readonly target: string
  readonly result: Outcome
  readonly reason?: Reason
  readonly message: string
}

const reasons: Readonly<Partial<Record<EndpointClass, Reason>>> = {
  leaked: 'LeakedEndpoint',
  loop: 'LoopingEndpoint',
  nested: 'NestedEndpoint',
}

/** A node that has just come is given so long to be known everywhere; until then it fails itself, not the others. */
const newcomerMs = 60_000
/** One peer that is silent may itself be what is cut off. */
const least = 2

/** Says whether this node's mesh is fit for pods. Peers that are no node are never looked at. */
export function judgeMesh(input: JudgeInput): readonly Judgement[] {
  const { devices, map } = input
  const published = map.others.some(node => node.publicKeys.length > 0)
  if (devices.length === 0) return [judgeNone(published)]
  const readable = devices.filter(device => device.readable)
  const unreadable = devices.filter(device => !device.readable)
  return [
    ...unreadable.map(device => judgeUnreadable(device, published && readable.length === 0)),
    ...readable.flatMap(device => judgeDevice(device, input)),
    ...(readable.length === 0 ? [] : judgeAbsent(readable, map)),
  ]
}

function judgeNone(published: boolean): Judgement {
  const target = 'devices'
  if (!published) {
    const message = 'this node has no WireGuard device, and no other node publishes one'
    return { target, result: 'skip', reason: 'NoDevice', message }
  }
  const message = 'this node has no WireGuard device, while others publish theirs'
  return { target, result: 'fail', reason: 'NoDevice', message }
}

function judgeUnreadable({ name, fault = '' }: DeviceView, alone: boolean): Judgement {
  return { target: name, result: alone ? 'fail' : 'warn', reason: 'DeviceUnreadable', message: fault }
}

function judgeDevice(device: DeviceView, input: JudgeInput): readonly Judgement[] {
  const nodes = device.peers.filter(peer => peer.node !== null)
  const findings = [
    ...judgeTrouble(device, nodes, input),
    ...judgeMissing(device, nodes, input),
    ...judgeSilence(device, nodes),
  ]
  if (findings.length > 0) return findings
  const strangers = device.peers.length - nodes.length
  const message = `${nodes.length} nodes are where they should be${strangers === 0 ? '' : `; ${strangers} peers are no nodes`}`
  return [{ target: device.name, result: 'pass', message }]
}

/** Wrong now, or not proved to be right again. */
function judgeTrouble(device: DeviceView, peers: readonly PeerView[], input: JudgeInput): readonly Judgement[] {
  return (['leaked', 'loop', 'nested'] as const).flatMap(trouble => {
    const wrong = peers.filter(peer => peer.class === trouble)
    const healing = peers.filter(
      peer => reasons[peer.class] === undefined && incidentOf(device, peer, input)?.trouble === trouble,
    )
    const [first] = wrong
    if (first === undefined && healing.length === 0) return []
    const message =
      first === undefined
        ? 'put right, but not proved to live yet'
        : `endpoint ${first.endpoint} ${first.detail}${wrong.length > 1 ? ', and more like it' : ''}`
    return [fail(device, [...wrong, ...healing], { reason: reasons[trouble] ?? 'LeakedEndpoint', message })]
  })
}

function incidentOf(device: DeviceView, { publicKey }: PeerView, { incidents }: JudgeInput): Incident | undefined {
  return incidents.get(keyOf({ device: device.name, publicKey }))
}

function judgeMissing(device: DeviceView, peers: readonly PeerView[], input: JudgeInput): readonly Judgement[] {
  const lacking = peers.filter(peer => peer.missingAllowedIPs.length > 0)
  const [fresh, settled] = [true, false].map(is => lacking.filter(peer => isNewcomer(peer, input) === is))
  const say = (of: readonly PeerView[]): Said => {
    const networks = of.flatMap(peer => peer.missingAllowedIPs)
    return { reason: 'MissingAllowedIP', message: `no allowed-ip for ${nameSome(networks)}` }
  }
  return [
    ...(settled === undefined || settled.length === 0 ? [] : [fail(device, settled, say(settled))]),
    ...(fresh === undefined || fresh.length === 0 ? [] : [warn(device, fresh, say(fresh))]),
  ]
}

/** Of two nodes that do not know each other yet, the one that came last is the one that is not ready. */
function isNewcomer(peer: PeerView, { map, ownSinceMs, nowMs }: JudgeInput): boolean {
  const since = map.nodeOf(peer.publicKey)?.createdMs ?? 0
  return ownSinceMs !== undefined && since > ownSinceMs && nowMs - since < newcomerMs
}

/** A node that hears nobody is cut off itself. */
function judgeSilence(device: DeviceView, peers: readonly PeerView[]): readonly Judgement[] {
  const silent = peers.filter(peer => peer.class === 'stale')
  if (silent.length === 0) return []
  const what: Said = { reason: 'NoHandshake', message: silent[0]?.detail ?? '' }
  const talking = peers.filter(peer => peer.class !== 'none')
  return [
    silent.length >= least && silent.length === talking.length
      ? fail(device, silent, what)
      : warn(device, silent, what),
  ]
}

/** Nodes that publish a device and are no peer here fail themselves; where that is all of them, it is this one. */
function judgeAbsent(devices: readonly DeviceView[], map: MeshMap): readonly Judgement[] {
  const published = map.others.filter(node => node.publicKeys.length > 0)
  const absent = findAbsent(devices, map)
  if (absent.length === 0) return []
  const result = absent.length >= least && absent.length === published.length ? 'fail' : 'warn'
  const target = nameSome(absent.map(node => node.name))
  return [{ target, result, reason: 'MissingAllowedIP', message: 'no device of this node has them as peers' }]
}

interface Said {
  readonly reason: Reason
  readonly message: string
}

function fail(device: DeviceView, peers: readonly PeerView[], said: Said): Judgement {
  return { target: targetOf(device, peers), result: 'fail', ...said }
}

function warn(device: DeviceView, peers: readonly PeerView[], said: Said): Judgement {
  return { target: targetOf(device, peers), result: 'warn', ...said }
}

function targetOf(device: DeviceView, peers: readonly PeerView[]): string {
  return `${device.name}: ${nameSome(peers.map(peer => peer.node ?? ''))}`
}
