import type { Held, HoldReason, Incident } from './heal-plan.ts'

/** Holds that somebody has to hear of; all others are short, are so by the settings, or are told by the check. */
const words: Partial<Readonly<Record<HoldReason, string>>> = {
  NoTarget: 'where it should be is not known, or can be no endpoint',
  PeerBudget: 'it was put right as often as it may be within ten minutes',
  NodeBudget: 'this node has put right as many as it may within ten minutes',
  ResetTooSoon: 'it is put back at once, and netclient was told to forget less than ten minutes ago',
}

/** Why endpoints that should be put right are not. */
export interface HoldNotice {
  readonly reason: HoldReason
  readonly words: string
  readonly held: readonly Held[]
}

export interface HoldNotices {
  /** What is to be told now, one notice a reason. */
  readonly notices: readonly HoldNotice[]
  /** All that was told of what still is wrong. */
  readonly told: readonly Held[]
}

/** Each reason is told once for each peer, however often it comes and goes until that peer has proved to be right. */
export function planHoldNotices(
  held: readonly Held[],
  before: readonly Held[],
  incidents: Iterable<Pick<Incident, 'device' | 'node'>>,
): HoldNotices {
  const open = new Set(Array.from(incidents, keyOf))
  const known = before.filter(each => open.has(keyOf(each)))
  const isKnown = new Set(known.map(hold => `${keyOf(hold)} ${hold.reason}`))
  const fresh = held.filter(hold => words[hold.reason] !== undefined && !isKnown.has(`${keyOf(hold)} ${hold.reason}`))
  const notices = [...Map.groupBy(fresh, ({ reason }) => reason)].map(([reason, some]) => ({
    reason,
    words: words[reason] ?? reason,
    held: some,
  }))
  return { notices, told: [...known, ...fresh] }
}

function keyOf({ device, node }: Pick<Incident, 'device' | 'node'>): string {
  return `${device} ${node}`
}
