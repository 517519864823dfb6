import { type Clock, pause } from '../runtime/clock.ts'
import { type Look, type Meaning, meaningOf } from './taken-away.ts'

/** Why an agent was told to end, as far as that can be found out. */
export type Ending = { readonly kind: 'restarted' | 'unclear' } | { readonly kind: 'takenAway'; readonly why: string }

export interface FindEndingOptions {
  look(): Promise<Look>
  /** Whether the own Node was there the last time that anybody could tell. */
  readonly nodeSeen: boolean
  readonly clock: Clock
}

/** Between two looks. */
const pauseMs = 1_000
/** Without an answer the agent ends as quickly as ever. */
const silentMs = 2_000
/** What is half taken away is given time to be so wholly, within the time that the pod is given to end. */
const longestMs = 18_000

/** Looks until it is clear, or has been unclear for too long. */
export async function findEnding({ look, nodeSeen, clock }: FindEndingOptions): Promise<Ending> {
  const startedMs = clock.monotonic()
  let heardMs = startedMs
  let agreed = { why: '', looks: 0 }
  for (;;) {
    const meaning = meaningOf(await look(), nodeSeen)
    if (meaning.kind === 'restarted') return { kind: 'restarted' }
    agreed = agreeing(agreed, meaning)
    if (meaning.kind === 'takenAway' && agreed.looks >= meaning.looks) return { kind: 'takenAway', why: meaning.why }
    const nowMs = clock.monotonic()
    if (!isSilent(meaning)) heardMs = nowMs
    if (nowMs - heardMs >= silentMs || nowMs - startedMs >= longestMs) return { kind: 'unclear' }
    await pause(clock, pauseMs, neverAborted)
  }
}

const neverAborted = new AbortController().signal

function agreeing(before: { readonly why: string; readonly looks: number }, meaning: Meaning) {
  if (meaning.kind !== 'takenAway') return { why: '', looks: 0 }
  return { why: meaning.why, looks: meaning.why === before.why ? before.looks + 1 : 1 }
}

function isSilent(meaning: Meaning): boolean {
  return meaning.kind === 'unclear' && !meaning.refused
}
