import { type CheckResult, type Outcome, titleOf, type Verdict } from '../verdict/verdict.ts'
import type { StatusView } from './document.ts'

/** How a thing is. `wait`: nobody knows yet. `quiet`: nothing is to be said of it. */
export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'quiet'

/** What is said first. */
export interface Headline {
  readonly tone: Tone
  readonly title: string
  readonly text: string
}

/** All answers to one kind of question. */
export interface CheckGroup {
  readonly title: string
  /** The gravest. */
  readonly result: Outcome
  /** The gravest of each place, and how many there were. */
  readonly places: readonly { readonly from: string; readonly result: Outcome; readonly count: number }[]
  readonly slowestSeconds: number
  /** Those that are not well, the gravest first. */
  readonly notes: readonly CheckResult[]
}

/** A peer and the device it is on. */
export type Link = NonNullable<StatusView['wireguard']>['devices'][number]['links'][number] & {
  readonly device: string
}

const gravity: readonly Outcome[] = ['fail', 'warn', 'skip', 'pass']

export const tones: Readonly<Record<Outcome, Tone>> = { pass: 'good', warn: 'warn', fail: 'bad', skip: 'quiet' }

export function headlineOf(status: StatusView): Headline {
  return status.leader === null ? headlineOfNode(status) : headlineOfLeader(status, status.leader)
}

function headlineOfNode(status: StatusView): Headline {
  const { verdict, missing } = status
  if (verdict === null) return { tone: 'wait', title: 'Verifying', text: 'the first verification has not ended' }
  const groups = groupChecks(verdict)
  if (!verdict.passed) return { tone: 'bad', title: 'Not well', text: causesOf(groups, 'fail') || 'nothing was proved' }
  const wrong = wrongBesides(status)
  if (wrong.length > 0) return { tone: 'bad', title: 'Not all well', text: [...wrong, ...missing].join('; ') }
  if (missing.length > 0) return { tone: 'warn', title: 'Well, not ready', text: missing.join('; ') }
  const warnings = causesOf(groups, 'warn')
  if (warnings !== '') return { tone: 'warn', title: 'Well, with warnings', text: warnings }
  return { tone: 'good', title: 'Well', text: `${plural(verdict.checks.length, 'answer')}, none of them bad` }
}

/** What is shown as bad though the node has passed: one word is said of all that is shown. */
function wrongBesides(status: StatusView): readonly string[] {
  const bad = linksOf(status).filter(link => link.bad).length
  const lacking = status.attachments?.missing ?? 0
  const unreadable = status.wireguard?.devices.filter(({ readable }) => !readable) ?? []
  return [
    ...unreadable.map(({ name }) => `${name} cannot be read`),
    ...(bad === 0 ? [] : [`${plural(bad, 'WireGuard peer')} ${bad === 1 ? 'is' : 'are'} not well`]),
    ...(lacking === 0 ? [] : [`${plural(lacking, 'network')} of pods ${lacking === 1 ? 'is' : 'are'} missing`]),
  ]
}

function causesOf(groups: readonly CheckGroup[], result: Outcome): string {
  const causes = groups.flatMap(({ title, notes }) =>
    notes.filter(each => each.result === result).map(({ reason }) => `${title}: ${reason ?? result}`),
  )
  return [...new Set(causes)].join(', ')
}

function headlineOfLeader(
  { holder, fleet, problems, egressError }: StatusView,
  leader: NonNullable<StatusView['leader']>,
): Headline {
  if (leader === 'unknown') return { tone: 'wait', title: 'Waits', text: 'the cluster has not said who leads' }
  if (leader === 'standby')
    return { tone: 'quiet', title: 'Stands by', text: holder ? `${holder} leads` : 'nobody leads' }
  const failed = fleet?.filter(({ state }) => state === 'failed').length ?? 0
  const bad = [
    ...problems,
    ...(egressError === null ? [] : [`the last pass of the egress rules failed: ${egressError}`]),
    ...(failed === 0 ? [] : [`${failed} of ${plural(fleet?.length ?? 0, 'node')} fail`]),
  ]
  if (bad.length > 0) return { tone: 'bad', title: 'Leads, not all well', text: bad.join('; ') }
  if (fleet === null) return { tone: 'wait', title: 'Leads', text: 'has not looked at the nodes yet' }
  return { tone: 'good', title: 'Leads', text: `${plural(fleet.length, 'node')}, none of them fails` }
}

/** In the order in which they were asked, but those that are not well first. */
export function groupChecks({ checks }: Verdict): readonly CheckGroup[] {
  const groups = [...Map.groupBy(checks, ({ code }) => code)].map(([code, all]) => ({
    title: titleOf(code),
    result: gravestOf(all),
    places: [...Map.groupBy(all, ({ from }) => from)].map(([from, some]) => ({
      from,
      result: gravestOf(some),
      count: some.length,
    })),
    slowestSeconds: Math.max(...all.map(({ seconds }) => seconds)),
    notes: byGravity(all.filter(({ result }) => result !== 'pass')),
  }))
  return byGravity(groups)
}

function gravestOf(all: readonly CheckResult[]): Outcome {
  // What was not asked does not speak for what was.
  const asked = all.filter(({ result }) => result !== 'skip')
  return byGravity(asked)[0]?.result ?? 'skip'
}

function byGravity<T extends { readonly result: Outcome }>(all: readonly T[]): readonly T[] {
  const rank = ({ result }: T) => (result === 'fail' || result === 'warn' ? gravity.indexOf(result) : gravity.length)
  return all.toSorted((one, other) => rank(one) - rank(other))
}

/** `host 2×, sandbox 1×`. */
export function describePlaces({ places }: CheckGroup): string {
  return places.map(each => `${each.from} ${each.result === 'skip' ? 'not tried' : `${each.count}×`}`).join(', ')
}

/** The peers of all devices. */
export function linksOf({ wireguard }: StatusView): readonly Link[] {
  return (wireguard?.devices ?? []).flatMap(({ name: device, links }) => links.map(link => ({ ...link, device })))
}

/** A peer for people: one that is no node goes by the begin of its key. */
export function nameOf({ node, publicKey }: Pick<Link, 'node' | 'publicKey'>): string {
  return node ?? `key ${publicKey}`
}

/** How many there are of each, most first. */
export function countBy<T>(all: readonly T[], key: (one: T) => string): readonly (readonly [string, number])[] {
  return [...Map.groupBy(all, key)]
    .map(([name, some]) => [name, some.length] as const)
    .toSorted(([, one], [, other]) => other - one)
}

/** How a node of the fleet is, by its state. */
export const toneOfState = {
  verified: 'good',
  verifying: 'wait',
  unverified: 'quiet',
  failed: 'bad',
} as const satisfies Readonly<Record<NonNullable<StatusView['fleet']>[number]['state'], Tone>>

/** The nodes that are not verified, by state and reason: many fail for one reason as a rule. What fails comes first. */
export function troublesOf<T extends { readonly state: string; readonly reason: string }>(
  fleet: readonly T[],
): readonly (readonly T[])[] {
  const wrong = fleet.filter(({ state }) => state !== 'verified')
  const rank = ([first]: readonly T[]) => (first?.state === 'failed' ? 0 : 1)
  return [...Map.groupBy(wrong, ({ state, reason }) => `${state} ${reason}`).values()].toSorted(
    (one, other) => rank(one) - rank(other) || other.length - one.length,
  )
}

/** Figures of the networks in which this cluster has, or should have, rules. */
export function networksOf({ egressRules }: StatusView): NonNullable<StatusView['egressRules']>['networks'] {
  return (egressRules?.networks ?? []).filter(({ wanted, present }) => wanted + present > 0)
}

/** What is not up to date, and since when: a sentence each. */
export function staleness({ api, time }: StatusView): readonly string[] {
  if (api === null || api.answers !== false) return []
  const since = api.lastAnswer === null ? 'It never did' : `It last did ${agoOf(api.lastAnswer, time)}`
  return [
    `The Kubernetes API does not answer this process (${api.failure ?? 'no answer'}). ${since}: what comes from it (taint, pods, other nodes) is as old.`,
  ]
}

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** `12 s`, `3 min`, `2 h`, `9 d`. */
export function formatAge(seconds: number): string {
  if (Number.isNaN(seconds)) return 'some time'
  const unit = units.find(([length]) => seconds >= 2 * length)
  return unit === undefined ? `${Math.max(0, Math.floor(seconds))} s` : `${Math.floor(seconds / unit[0])} ${unit[1]}`
}

/** @param now of the document that names the time, so by the same clock */
export function agoOf(time: string, now: string): string {
  const seconds = (Date.parse(now) - Date.parse(time)) / 1000
  return seconds < 1 ? 'just now' : `${formatAge(seconds)} ago`
}

/** `1 node`, `12 nodes`. */
export function plural(count: number, word: string): string {
  return `${groupDigits(count)} ${word}${count === 1 ? '' : 's'}`
}

/** `1,000`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `12 ms`, `1.5 s`. */
export function formatDuration(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`
}
