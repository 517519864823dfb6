import type { SocketAddress } from './addresses.ts'
import { type EndpointClass, sessionMs } from './classify.ts'

/** A peer that is a node, as one look shows it. */
export interface HealSubject {
  readonly device: string
  readonly publicKey: string
  readonly node: string
  readonly class: EndpointClass
  readonly endpoint: string | null
  /** By the clock that never jumps; undefined = never. */
  readonly handshakeMs: number | undefined
  readonly rxBytes: number
  /** Whether every pod CIDR of its node is an allowed-ip of it. */
  readonly allowed: boolean
  /** Where it should be, where that is known and could be right. */
  readonly target: SocketAddress | undefined
  /** Whether a packet of full size came through since its endpoint was put right. */
  readonly fullSize: boolean
}

/** What is wrong with an endpoint, as metrics, Events and reasons of the check name it. */
export type Trouble = Extract<EndpointClass, 'leaked' | 'loop' | 'nested'>

/** What to do. */
export type HealAction =
  | {
      readonly kind: 'set'
      readonly device: string
      readonly publicKey: string
      readonly node: string
      readonly from: string | null
      readonly to: SocketAddress
      readonly trouble: Trouble
    }
  /** Makes the program that owns the device forget the endpoints it has learned. */
  | { readonly kind: 'reset'; readonly device: string; readonly node: string; readonly reason: 'Reverted' }

/** Why a wrong endpoint is left as it is for now. */
export type HoldReason =
  | 'Observed'
  | 'MissingAllowedIP'
  | 'NoTarget'
  | 'Waiting'
  | 'PeerBudget'
  | 'NodeBudget'
  | 'ResetTooSoon'

export interface Held {
  readonly device: string
  readonly node: string
  readonly reason: HoldReason
}

/** One peer whose endpoint was wrong, until it is proved to be right again. */
export interface Incident {
  readonly device: string
  readonly publicKey: string
  readonly node: string
  readonly trouble: Trouble
  readonly firstMs: number
  /** The moment from which on it may be put right: not all nodes of a cluster at once. */
  readonly dueMs: number
  /** The last time its endpoint was seen to have become right, by us or by itself; undefined = it is wrong. */
  readonly right: { readonly atMs: number; readonly rxBytes: number } | undefined
  /** When its device last told of it. */
  readonly seenMs: number
  /** When it was last put right by us. */
  readonly setMs: number | undefined
  /** Whether somebody put a wrong endpoint back right after we had put it right. */
  readonly reverted: boolean
  /** When it was seen to live again, with the endpoint it has now. */
  readonly provedMs: number | undefined
}

/** What is remembered from look to look. Times are of the clock that never jumps. */
export interface HealMemory {
  readonly incidents: ReadonlyMap<string, Incident>
  /** When each peer's endpoint was set, as far back as the budgets reach. */
  readonly sets: readonly { readonly peer: string; readonly atMs: number }[]
  readonly resetMs: number | undefined
}

export const emptyMemory: HealMemory = { incidents: new Map(), sets: [], resetMs: undefined }

export interface HealInput {
  readonly subjects: readonly HealSubject[]
  /** Names of the devices that could be read: of all others nothing is known. */
  readonly answered: ReadonlySet<string>
  readonly memory: HealMemory
  readonly mode: 'off' | 'observe' | 'heal'
  readonly nowMs: number
  /** 0 to 1. */
  readonly random: () => number
}

export interface HealPlan {
  readonly memory: HealMemory
  readonly actions: readonly HealAction[]
  readonly held: readonly Held[]
  /** Wrong since this look. */
  readonly begun: readonly Incident[]
  /** Proved to be right again at this look. */
  readonly ended: readonly Incident[]
}

/** A leak is put right within three seconds; a second spreads the nodes of a cluster. */
const jitterMs = 1_000
/** netclient puts back what it remembers within 15 s. */
const revertMs = 20_000
const budgetMs = 10 * 60_000
const peerBudget = 3
/** A CNI's interface that leaks everywhere is every peer of a node at once. */
const nodeBudget = 200

export function planHeal(input: HealInput): HealPlan {
  const { subjects, memory, nowMs } = input
  const incidents = unseen(input)
  const begun: Incident[] = []
  const ended: Incident[] = []
  for (const subject of subjects) {
    const key = keyOf(subject)
    const known = memory.incidents.get(key)
    const next = follow(subject, known, input)
    if (next === undefined) continue
    if (known === undefined) begun.push(next)
    if (isOver(next, nowMs)) ended.push(next)
    else incidents.set(key, next)
  }
  const sets = memory.sets.filter(({ atMs }) => nowMs - atMs < budgetMs)
  const decided = decideAll({ ...input, memory: { ...memory, incidents, sets } })
  return { ...decided, begun, ended }
}

/** A device that hangs, or that its program makes anew, proves nothing; one that stays away is over some time. */
function unseen({ memory, answered, nowMs }: HealInput): Map<string, Incident> {
  return new Map(
    [...memory.incidents].filter(([, { device, seenMs }]) => !answered.has(device) && nowMs - seenMs < budgetMs),
  )
}

export function keyOf({ device, publicKey }: { readonly device: string; readonly publicKey: string }): string {
  return `${device} ${publicKey}`
}

function isTrouble(found: EndpointClass): found is Trouble {
  return found === 'leaked' || found === 'loop' || found === 'nested'
}

/** How a peer stands after this look; undefined = well, and nothing to remember. */
function follow(subject: HealSubject, known: Incident | undefined, input: HealInput): Incident | undefined {
  const { nowMs, random } = input
  if (isTrouble(subject.class)) {
    const { device, publicKey, node } = subject
    const fresh = { device, publicKey, node, firstMs: nowMs, dueMs: nowMs + random() * jitterMs, setMs: undefined }
    const incident = known ?? { ...fresh, reverted: false }
    const undone = known?.setMs !== undefined && known.right !== undefined && nowMs - known.setMs <= revertMs
    const reverted = incident.reverted || undone
    return { ...incident, seenMs: nowMs, trouble: subject.class, reverted, right: undefined, provedMs: undefined }
  }
  if (known === undefined) return undefined
  if (subject.class === 'none') return { ...known, seenMs: nowMs }
  const right = known.right ?? { atMs: nowMs, rxBytes: subject.rxBytes }
  const provedMs = known.provedMs ?? (lives(subject, { ...known, right }, nowMs) ? nowMs : undefined)
  return { ...known, seenMs: nowMs, right, provedMs }
}

/** Proof that a peer lives at its endpoint: a later handshake, or bytes on a session that is valid. */
function lives(subject: HealSubject, incident: Incident, nowMs: number): boolean {
  const { right, trouble } = incident
  if (right === undefined || !subject.allowed) return false
  // Handshakes succeed in a tunnel inside a tunnel too: there only size proves anything.
  if (trouble === 'nested') return subject.fullSize
  const { handshakeMs } = subject
  if (handshakeMs === undefined) return false
  return handshakeMs > right.atMs || (subject.rxBytes > right.rxBytes && nowMs - handshakeMs < sessionMs)
}

/** Not before it is sure that nobody puts the wrong one back. */
function isOver({ right, provedMs }: Incident, nowMs: number): boolean {
  return right !== undefined && provedMs !== undefined && nowMs - right.atMs > revertMs
}

type Decided = Pick<HealPlan, 'memory' | 'actions' | 'held'>

function decideAll(input: HealInput): Decided {
  const actions: HealAction[] = []
  const held: Held[] = []
  let { memory } = input
  for (const subject of input.subjects) {
    const incident = memory.incidents.get(keyOf(subject))
    if (incident === undefined || !isTrouble(subject.class)) continue
    const decision = decide(subject, incident, { ...input, memory })
    if ('held' in decision) held.push({ device: subject.device, node: subject.node, reason: decision.held })
    else {
      actions.push(decision.action)
      memory = noteSet(memory, subject, input)
    }
  }
  const reset = decideReset(input)
  if (reset !== undefined && 'held' in reset) held.push(reset.held)
  if (reset !== undefined && 'action' in reset) actions.push(reset.action)
  return { memory, actions, held }
}

function decide(
  subject: HealSubject,
  incident: Incident,
  { mode, nowMs, memory }: HealInput,
): { readonly action: HealAction } | { readonly held: HoldReason } {
  const { device, publicKey, node, target, endpoint } = subject
  if (mode !== 'heal') return { held: 'Observed' }
  // Before that, whoever learned the wrong endpoint learns it again at once.
  if (!subject.allowed) return { held: 'MissingAllowedIP' }
  if (target === undefined) return { held: 'NoTarget' }
  if (nowMs < incident.dueMs) return { held: 'Waiting' }
  const key = keyOf(subject)
  if (memory.sets.filter(({ peer }) => peer === key).length >= peerBudget) return { held: 'PeerBudget' }
  if (memory.sets.length >= nodeBudget) return { held: 'NodeBudget' }
  const { trouble } = incident
  return { action: { kind: 'set', device, publicKey, node, from: endpoint, to: target, trouble } }
}

/** The endpoint counts as right until the next look shows otherwise: what is wrong then has been put back. */
function noteSet(memory: HealMemory, subject: HealSubject, { nowMs }: HealInput): HealMemory {
  const key = keyOf(subject)
  const right = { atMs: nowMs, rxBytes: subject.rxBytes }
  const sets = [...memory.sets, { peer: key, atMs: nowMs }]
  return { ...memory, sets, incidents: change(memory.incidents, key, { setMs: nowMs, right }) }
}

/** What is remembered where an endpoint could not be set after all: nobody has put anything back then. */
export function noteFailure(
  memory: HealMemory,
  peer: { readonly device: string; readonly publicKey: string },
): HealMemory {
  return { ...memory, incidents: change(memory.incidents, keyOf(peer), { setMs: undefined, right: undefined }) }
}

function change(incidents: HealMemory['incidents'], key: string, part: Partial<Incident>): HealMemory['incidents'] {
  const known = incidents.get(key)
  return known === undefined ? incidents : new Map([...incidents, [key, { ...known, ...part }]])
}

/** One reset makes the program forget everything; more of them would only keep the node's tunnels down. */
function decideReset(input: HealInput): { readonly action: HealAction } | { readonly held: Held } | undefined {
  const { memory, mode, nowMs, subjects } = input
  const subject = subjects.find(each => {
    const { reverted = false, right } = memory.incidents.get(keyOf(each)) ?? {}
    return reverted && right === undefined
  })
  if (subject === undefined || mode !== 'heal') return undefined
  const { device, node, allowed } = subject
  if (!allowed) return { held: { device, node, reason: 'MissingAllowedIP' } }
  if (memory.resetMs !== undefined && nowMs - memory.resetMs < budgetMs)
    return { held: { device, node, reason: 'ResetTooSoon' } }
  return { action: { kind: 'reset', device, node, reason: 'Reverted' } }
}
