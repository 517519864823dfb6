import type { Logger } from '../runtime/log.ts'
import { KubeError } from './api.ts'
import { certainMs, LeaseObject, type LeaseOptions } from './lease-object.ts'
import { createTerm, type Term } from './term.ts'

/** Work that one process of the cluster does at a time. */
export interface Lease {
  /**
   * Takes the Lease, runs the work, gives the Lease back. The term ends well before others may take over. Not to be called
   * again before that.
   * @returns undefined if another process has it
   * @throws KubeError, also where the work took too long, or what the work throws
   */
  hold<T>(signal: AbortSignal, work: (term: Term) => Promise<T>): Promise<{ readonly result: T } | undefined>
}

/** A Lease for work that takes moments. */
export function createLease({ log, ...options }: LeaseOptions & { readonly log: Logger }): Lease {
  const lease = new LeaseObject(options)
  const { api, clock } = options
  return {
    async hold(signal, work) {
      const limit = new AbortController()
      const late = () => limit.abort(new KubeError('TimedOut', `the work under lease ${lease.name} took too long`))
      const cancel = clock.after(certainMs, late)
      const whole = AbortSignal.any([signal, limit.signal])
      try {
        const held = await lease.take(whole)
        if (held === undefined) return undefined
        try {
          const term = createTerm(api, whole, () => clock.monotonic() < held.certainUntilMs)
          return { result: await work(term) }
        } finally {
          await lease.giveBack(held, log)
        }
      } finally {
        cancel()
      }
    },
  }
}
