import type { NodeNetwork, NodeNetworkSpec, NodeNetworkStatus } from '../kube/node-network.ts'

/** What there is to say, as it is now. */
export interface Wish {
  readonly spec: NodeNetworkSpec
  readonly status: Omit<NodeNetworkStatus, 'observedMs'>
}

export interface PublishInput {
  /** undefined = there is none yet. */
  readonly known: NodeNetwork | undefined
  readonly wish: Wish
  /** Uid of the Node. */
  readonly owner: string
  /** For how long the wish has been what it is, in milliseconds. */
  readonly ageMs: number
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

export type PublishAction =
  | { readonly kind: 'create'; readonly spec: NodeNetworkSpec }
  | { readonly kind: 'spec'; readonly spec: NodeNetworkSpec }
  | { readonly kind: 'status'; readonly status: NodeNetworkStatus }

export interface PublishPlan {
  readonly action: PublishAction | undefined
  /** When to look again though nothing changes, in milliseconds. */
  readonly againMs: number | undefined
}

/** Every agent hears of every write: a verdict that changes to and fro is not worth one. */
const verdictMs = 3_000
/** A node that comes is known to all others within this time, which is not worth two writes of each. */
const missingMs = 15_000
/** How many peers there are changes with every node that comes or goes. */
const countsMs = 5 * 60_000

/** The one write that is due; there may be another after it. */
export function planPublication(input: PublishInput): PublishPlan {
  const { known, wish, owner } = input
  if (known === undefined) return { action: { kind: 'create', spec: wish.spec }, againMs: undefined }
  if (known.owner !== owner || !isSame(known.spec, wish.spec))
    return { action: { kind: 'spec', spec: wish.spec }, againMs: undefined }
  const waitMs = statusWait(known.status, input)
  if (waitMs === undefined || waitMs > 0) return { action: undefined, againMs: waitMs }
  return { action: { kind: 'status', status: { ...wish.status, observedMs: input.nowMs } }, againMs: undefined }
}

/** How long the status is to be left as it is; undefined = it says what is so. */
function statusWait(
  known: NodeNetworkStatus | undefined,
  { wish: { status }, ageMs, nowMs }: PublishInput,
): number | undefined {
  if (known === undefined || known.verdict !== status.verdict || known.reason !== status.reason)
    return Math.max(0, verdictMs - ageMs)
  if (troubles(known.peers) !== troubles(status.peers)) return Math.max(0, verdictMs - ageMs)
  const missing = !isSame(known.missingAllowedIPs, status.missingAllowedIPs)
  if (missing || unrouted(known) !== unrouted(status)) return Math.max(0, missingMs - ageMs)
  if (isSame(known.peers, status.peers) && isSame(known.egress, status.egress)) return undefined
  // A time in the future was written by a clock that was wrong.
  return Math.max(0, countsMs - Math.abs(nowMs - known.observedMs))
}

function troubles({ leaked = 0, loop = 0, nested = 0 }: NodeNetworkStatus['peers']): string {
  return `${leaked} ${loop} ${nested}`
}

/** At how many nodes the own pod CIDRs are missing. */
function unrouted({ egress }: Pick<NodeNetworkStatus, 'egress'>): number {
  return egress === undefined ? 0 : egress.peers - egress.routed
}

/** Whether two values are the same, whatever the order of their keys and with absent ones as undefined. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [another]) => (one < another ? -1 : 1)))
      : part,
  )
}
