import type { Lease } from '../kube/lease.ts'
import { type Term, TermEndedError } from '../kube/term.ts'
import { type Clock, pause } from '../runtime/clock.ts'
import type { ResetOutcome } from './netclient.ts'

export interface ResetOptions {
  /** Who has it resets its own node: nodes whose endpoints leaked together do not take their tunnels down together. */
  readonly lease: Lease
  /** Tells the program that owns a device to forget what it has learned. */
  readonly forget: (device: string) => Promise<Exclude<ResetOutcome, 'busy'>>
  readonly clock: Clock
}

/** netclient needs some seconds to bring its interface back: until then no other node takes its own down. */
const backMs = 6_000

/** Resets the program that owns a device, where no other node of the cluster does so. */
export function createReset({ lease, forget, clock }: ResetOptions) {
  return async (device: string, signal: AbortSignal): Promise<ResetOutcome> => {
    const reset = async (term: Term) => {
      term.fence()
      const outcome = await forget(device)
      // Longer than the term, if need be: whoever waits holds the others back and does nothing else.
      if (outcome === 'done') await pause(clock, backMs, signal)
      return outcome
    }
    const done = await lease.hold(signal, reset).catch(error => {
      if (error instanceof TermEndedError) return undefined
      throw error
    })
    return done?.result ?? 'busy'
  }
}
