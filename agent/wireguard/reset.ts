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

/**
 * Resets the program that owns a device, where no other node of the cluster does so.
 * @throws KubeError where it is not known whose turn it is, and then nobody was told anything
 */
export function createReset({ lease, forget, clock }: ResetOptions) {
  return async (device: string, signal: AbortSignal): Promise<ResetOutcome> => {
    let told: ResetOutcome | undefined
    const reset = async (term: Term) => {
      term.fence()
      told = await forget(device)
      // Longer than the term, if need be: whoever waits holds the others back and does nothing else.
      if (told === 'done') await pause(clock, backMs, signal)
    }
    await lease.hold(signal, reset).catch(error => {
      if (told === undefined && !(error instanceof TermEndedError)) throw error
    })
    return told ?? 'busy'
  }
}
