import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type KubeApi, KubeError } from './api.ts'

/** Work that one process of the cluster does at a time. */
export interface Lease {
  /**
   * Takes the Lease, runs the work, gives the Lease back. The work's signal fires well before others may take over.
   * @returns undefined if another process has it
   * @throws KubeError, or what the work throws
   */
  hold<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<{ readonly result: T } | undefined>
}

export interface LeaseOptions {
  readonly api: KubeApi
  readonly namespace: string
  readonly name: string
  /** Who takes it, for people; made unique per process here. */
  readonly holder: string
  readonly clock: Clock
  readonly log: Logger
}

/** A holder that has said nothing for so long is dead. */
const leaseMs = 15_000
/** The rest is room for a write that is on its way when the time is up. */
const workMs = 10_000

const leaseShape = v.object({
  metadata: v.object({ resourceVersion: v.pipe(v.string(), v.minLength(1)) }),
  spec: v.optional(v.nullable(v.object({ holderIdentity: v.optional(v.nullable(v.string()), '') }))),
})

interface Found {
  readonly version: string
  readonly holder: string
}

export function createLease(options: LeaseOptions): Lease {
  return new KubeLease(options)
}

class KubeLease implements Lease {
  readonly #options: LeaseOptions
  readonly #identity: string
  readonly #folder: string
  readonly #path: string
  /** The last change of the Lease that was seen, and when by our own clock: clocks of nodes differ. */
  #seen: { readonly version: string; readonly atMs: number } | undefined

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#identity = `${options.holder}_${randomBytes(4).toString('hex')}`
    this.#folder = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
    this.#path = `${this.#folder}/${options.name}`
  }

  async hold<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) {
    const limit = new AbortController()
    const late = () =>
      limit.abort(new KubeError('TimedOut', `the work under lease ${this.#options.name} took too long`))
    const cancel = this.#options.clock.after(workMs, late)
    const held = AbortSignal.any([signal, limit.signal])
    try {
      const version = await this.#take(held)
      if (version === undefined) return undefined
      try {
        return { result: await work(held) }
      } finally {
        await this.#release(version, signal)
      }
    } finally {
      cancel()
    }
  }

  /** @returns the resourceVersion under which it is ours; undefined = it is another's */
  async #take(signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#read(signal)
    if (found !== undefined && found.holder !== '' && !this.#isDead(found)) return undefined
    try {
      const taken = await this.#write(found?.version, this.#identity, signal)
      return taken.version
    } catch (error) {
      // Somebody was quicker.
      if (error instanceof KubeError && error.code === 'Conflict') return undefined
      throw error
    }
  }

  async #read(signal: AbortSignal): Promise<Found | undefined> {
    try {
      return toFound(await this.#options.api.request({ method: 'GET', path: this.#path, signal }))
    } catch (error) {
      if (error instanceof KubeError && error.code === 'NotFound') return undefined
      throw error
    }
  }

  #isDead({ version }: Found): boolean {
    const nowMs = this.#options.clock.monotonic()
    if (this.#seen?.version !== version) this.#seen = { version, atMs: nowMs }
    return nowMs - this.#seen.atMs >= leaseMs
  }

  /** Writes only if the Lease is still at that version; undefined = it must not exist yet. */
  async #write(version: string | undefined, holder: string, signal: AbortSignal): Promise<Found> {
    const { api, clock, namespace, name } = this.#options
    const time = new Date(clock.now()).toISOString().replace('Z', '000Z')
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(version === undefined ? {} : { resourceVersion: version }) },
      spec: { holderIdentity: holder, leaseDurationSeconds: leaseMs / 1000, acquireTime: time, renewTime: time },
    }
    if (version === undefined) return toFound(await api.request({ method: 'POST', path: this.#folder, body, signal }))
    return toFound(await api.request({ method: 'PUT', path: this.#path, body, signal }))
  }

  /** One that cannot be given back runs out by itself. */
  async #release(version: string, signal: AbortSignal): Promise<void> {
    const { log, name } = this.#options
    await this.#write(version, '', signal).catch(error =>
      log.debug({ lease: name, err: error }, 'lease not given back'),
    )
  }
}

function toFound(body: unknown): Found {
  const result = v.safeParse(leaseShape, body)
  if (!result.success) throw new KubeError('BadReply', 'the answer is no Lease')
  const { metadata, spec } = result.output
  return { version: metadata.resourceVersion, holder: spec?.holderIdentity ?? '' }
}
