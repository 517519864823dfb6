import { type Clock, pause } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { KubeApi } from './api.ts'
import type { HeldLease, LeaseObject } from './lease-object.ts'
import { createTerm, type Term, TermEndedError } from './term.ts'

/** `unknown` until the cluster has said who leads. */
export type LeaderState = 'unknown' | 'standby' | 'leading'

export interface ElectionOptions {
  readonly api: KubeApi
  /** Absent = there is nobody to agree with: this process leads until it is stopped. */
  readonly lease: LeaseObject | undefined
  /**
   * What is done while leading; must end soon after the term's signal fires. The next term waits for its end; if it ends
   * before the term does, the term ends too.
   */
  readonly lead: (term: Term) => Promise<void>
  readonly onState: (state: LeaderState) => void
  readonly clock: Clock
  /** 0 to 1; spreads the tries of those who stand by. */
  readonly random: () => number
  readonly log: Logger
}

export interface Election {
  /** Ends the term, waits for the work's end and gives the Lease back, so that the next leader need not wait. */
  stop(): Promise<void>
}

const retryMs = 2_000

/** Leads whenever it can. */
export function startElection(options: ElectionOptions): Election {
  const stopping = new AbortController()
  const { lease } = options
  const running = lease === undefined ? leadAlone(options, stopping.signal) : stand(options, lease, stopping.signal)
  return {
    async stop() {
      stopping.abort(new TermEndedError('the leader ends'))
      await running
    },
  }
}

async function leadAlone(options: ElectionOptions, signal: AbortSignal): Promise<void> {
  options.onState('leading')
  while (!signal.aborted) {
    await work(
      options,
      createTerm(options.api, signal, () => true),
    )
    await pause(options.clock, retryMs, signal)
  }
}

async function stand(options: ElectionOptions, lease: LeaseObject, signal: AbortSignal): Promise<void> {
  const { clock, random } = options
  while (!signal.aborted) {
    const held = await tryToTake(options, lease, signal)
    if (held !== undefined) await leadUnder(options, { lease, held, stopping: signal })
    if (!signal.aborted) await pause(clock, retryMs * (1 + 0.2 * random()), signal)
  }
}

async function tryToTake(
  { onState, log }: ElectionOptions,
  lease: LeaseObject,
  signal: AbortSignal,
): Promise<HeldLease | undefined> {
  try {
    const held = await lease.take(signal)
    if (held === undefined) onState('standby')
    return held
  } catch (err) {
    if (!signal.aborted) log.warn({ lease: lease.name, err }, 'cannot find out who leads')
    return undefined
  }
}

interface Reign {
  readonly lease: LeaseObject
  readonly held: HeldLease
  /** Fires when the process ends. */
  readonly stopping: AbortSignal
}

/** One term, from the moment the Lease is ours until the work has ended. Never throws. */
async function leadUnder(options: ElectionOptions, { lease, held: first, stopping }: Reign): Promise<void> {
  const { clock, log, onState, api } = options
  let held: HeldLease = first
  const ending = new AbortController()
  const end = (why: string) => ending.abort(new TermEndedError(why))
  const isCertain = () => clock.monotonic() < held.certainUntilMs
  const onStopping = () => end('the leader ends')
  stopping.addEventListener('abort', onStopping, { once: true })
  if (stopping.aborted) onStopping()
  const watch = () => {
    if (!isCertain()) return end('the Lease could not be renewed in time')
    cancelWatch = clock.after(held.certainUntilMs - clock.monotonic(), watch)
  }
  let cancelWatch: () => void = () => undefined
  watch()
  log.info({ lease: lease.name, identity: lease.identity }, 'leads')
  onState('leading')
  const done = work(options, createTerm(api, ending.signal, isCertain)).then(() => end('its work has ended'))
  while (!ending.signal.aborted) {
    await pause(clock, retryMs, ending.signal)
    if (ending.signal.aborted) break
    const renewed = await renew(lease, held, { signal: ending.signal, log })
    if (renewed === 'lost') end('another leader has the Lease')
    else if (renewed !== undefined) held = renewed
  }
  cancelWatch()
  stopping.removeEventListener('abort', onStopping)
  onState('standby')
  await done
  log.info({ lease: lease.name, why: String(ending.signal.reason?.message) }, 'leads no more')
  if (isCertain()) await lease.giveBack(held, log)
}

/** @returns undefined = not this time */
async function renew(
  lease: LeaseObject,
  held: HeldLease,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<HeldLease | 'lost' | undefined> {
  try {
    return (await lease.renew(held, signal)) ?? 'lost'
  } catch (err) {
    if (!signal.aborted) log.warn({ lease: lease.name, err }, 'the Lease could not be renewed, tries again')
    return undefined
  }
}

/** The work of one term. Its errors are told by its duties; what comes this far was not foreseen. */
async function work({ lead, log }: ElectionOptions, term: Term): Promise<void> {
  try {
    await lead(term)
  } catch (err) {
    if (!term.signal.aborted) log.error({ err }, 'the work of the leader ended by an error')
  }
}
