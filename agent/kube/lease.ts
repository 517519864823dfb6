import type { Logger } from '../runtime/log.ts'
import { KubeError } from './api.ts'
import { certainMs, LeaseObject, type LeaseOptions } from './lease-object.ts'

/** Work that one process of the cluster does at a time. */
export interface Lease {
  /**
   * Takes the Lease, runs the work, gives the Lease back. The work's signal fires well before others may take over.
   * @returns undefined if another process has it
   * @throws KubeError, or what the work throws
   */
  hold<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<{ readonly result: T } | undefined>
}

/** A Lease for work that takes moments. */
export function createLease({ log, ...options }: LeaseOptions & { readonly log: Logger }): Lease {
  const lease = new LeaseObject(options)
  return {
    async hold(signal, work) {
      const limit = new AbortController()
      const late = () => limit.abort(new KubeError('TimedOut', `the work under lease ${lease.name} took too long`))
      const cancel = options.clock.after(certainMs, late)
      const whole = AbortSignal.any([signal, limit.signal])
      try {
        const held = await lease.take(whole)
        if (held === undefined) return undefined
        try {
          return { result: await work(whole) }
        } finally {
          // One that cannot be given back runs out by itself.
          await lease.release(held, signal).catch(err => log.debug({ lease: lease.name, err }, 'lease not given back'))
        }
      } finally {
        cancel()
      }
    },
  }
}
