import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { isNotFound, type KubeApi, KubeError, orAbsent } from './api.ts'

/** A holder that has said nothing for so long is dead. */
const leaseMs = 15_000
/** Who holds a Lease works no longer than this after it was last written: the rest is room for a write on its way. */
export const certainMs = 10_000
/** Two tries fit into the time that is certain. */
const requestMs = 4_000

/** Which Lease, and who wants it. */
export interface LeaseOptions {
  readonly api: KubeApi
  readonly namespace: string
  readonly name: string
  /** Who takes it, for people; made unique per process here. */
  readonly holder: string
  readonly clock: Clock
}

/** A Lease that is ours. */
export interface HeldLease {
  /** As it was last written. */
  readonly found: FoundLease
  /** On the clock that never jumps: until then nobody else can have taken it. */
  readonly certainUntilMs: number
}

const shape = v.object({
  metadata: v.object({ resourceVersion: v.pipe(v.string(), v.minLength(1)) }),
  spec: v.nullish(
    v.object({
      holderIdentity: v.optional(v.nullable(v.string()), ''),
      leaseDurationSeconds: v.nullish(v.number()),
      leaseTransitions: v.nullish(v.number()),
      acquireTime: v.nullish(v.string()),
    }),
  ),
})

/** A Lease as the API has it. */
export interface FoundLease {
  readonly version: string
  readonly holder: string
  /** How long its holder may be silent. */
  readonly leaseMs: number
  readonly transitions: number
  readonly acquireTime: string | undefined
}

/**
 * One Lease of the cluster. Every write names the version that was read, so of two writers one is refused. Whether a holder
 * lives is judged by the changes that are seen, on our own clock that never jumps: other machines' clocks count for nothing.
 */
export class LeaseObject {
  readonly name: string
  readonly identity: string
  /** Who had it when it was last read or written; empty = nobody. */
  holder = ''
  readonly #options: LeaseOptions
  readonly #folder: string
  /** The last change that was seen, and when by our own clock; a Lease that is gone has no version. */
  #seen: { readonly version: string | undefined; readonly atMs: number } | undefined

  constructor(options: LeaseOptions) {
    this.name = options.name
    this.identity = `${options.holder}_${randomBytes(4).toString('hex')}`
    this.#options = options
    this.#folder = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
  }

  /**
   * Takes the Lease if nobody has it, or if who has it was silent for as long as a holder may be. Not to be called while
   * it is held.
   * @returns undefined = it is another's
   * @throws KubeError
   */
  async take(signal: AbortSignal): Promise<HeldLease | undefined> {
    const found = await this.#read(signal)
    if (!this.#isFree(found)) return undefined
    try {
      return await this.#hold(found, signal)
    } catch (error) {
      // Somebody was quicker.
      if (isConflict(error)) return undefined
      throw error
    }
  }

  /**
   * Says that we live. Somebody else may have written to the object without taking it.
   * @returns undefined = it is another's now
   * @throws KubeError
   */
  async renew({ found }: Pick<HeldLease, 'found'>, signal: AbortSignal): Promise<HeldLease | undefined> {
    return this.#whileOurs(found, signal, last => this.#hold(last, signal))
  }

  /**
   * Gives the Lease back, if it is still ours, so that others need not wait. Not before the work under it has ended.
   * Never throws: one that cannot be given back runs out by itself.
   */
  async giveBack({ found }: HeldLease, log: Logger): Promise<void> {
    // Also where the process is asked to end: that is what it is for.
    const signal = AbortSignal.timeout(requestMs)
    try {
      await this.#whileOurs(found, signal, last => this.#write(last, '', signal))
    } catch (err) {
      log.debug({ lease: this.name, err }, 'lease not given back')
    }
  }

  /** Writes, also where the Lease is not as it was last seen but ours; undefined = it is not. */
  async #whileOurs<T>(
    found: FoundLease,
    signal: AbortSignal,
    write: (found: FoundLease) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await write(found)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
      const now = await this.#read(signal)
      return now?.holder === this.identity ? this.#whileOurs(now, signal, write) : undefined
    }
  }

  #isFree(found: FoundLease | undefined): boolean {
    // Our own name in it is that of a write of which we never heard that it was done.
    if (found?.holder === '' || found?.holder === this.identity) return true
    if (found === undefined && this.#seen === undefined) return true
    // Where one was and is gone, somebody deleted it, and its holder may not know that yet.
    const nowMs = this.#options.clock.monotonic()
    const seen = this.#seen?.version === found?.version ? this.#seen : undefined
    this.#seen = seen ?? { version: found?.version, atMs: nowMs }
    return nowMs - this.#seen.atMs >= (found?.leaseMs ?? leaseMs)
  }

  async #read(signal: AbortSignal): Promise<FoundLease | undefined> {
    const path = `${this.#folder}/${this.name}`
    const asked = this.#options.api.request({ method: 'GET', path, signal, timeoutMs: requestMs }).then(toFound)
    const found = await asked.catch(orAbsent)
    this.holder = found?.holder ?? ''
    return found
  }

  async #hold(found: FoundLease | undefined, signal: AbortSignal): Promise<HeldLease> {
    // From before the write is sent: others count from when they see it.
    const startedMs = this.#options.clock.monotonic()
    const written = await this.#write(found, this.identity, signal)
    this.holder = written.holder
    return { found: written, certainUntilMs: startedMs + certainMs }
  }

  /** undefined = it must not exist yet. */
  async #write(found: FoundLease | undefined, holder: string, signal: AbortSignal): Promise<FoundLease> {
    const { api, clock, namespace } = this.#options
    const { name } = this
    const time = new Date(clock.now()).toISOString().replace('Z', '000Z')
    const stays = found?.holder === holder
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(found === undefined ? {} : { resourceVersion: found.version }) },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: leaseMs / 1000,
        acquireTime: (stays ? found.acquireTime : undefined) ?? time,
        renewTime: time,
        leaseTransitions: (found?.transitions ?? 0) + (stays || holder === '' ? 0 : 1),
      },
    }
    const how = { body, signal, timeoutMs: requestMs } as const
    if (found === undefined) return toFound(await api.request({ method: 'POST', path: this.#folder, ...how }))
    return toFound(await api.request({ method: 'PUT', path: `${this.#folder}/${name}`, ...how }))
  }
}

function toFound(body: unknown): FoundLease {
  const result = v.safeParse(shape, body)
  if (!result.success) throw new KubeError('BadReply', 'the answer is no Lease')
  const { metadata, spec } = result.output
  return {
    version: metadata.resourceVersion,
    holder: spec?.holderIdentity ?? '',
    leaseMs: Math.max(leaseMs, (spec?.leaseDurationSeconds ?? 0) * 1000),
    transitions: spec?.leaseTransitions ?? 0,
    acquireTime: spec?.acquireTime ?? undefined,
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'Conflict'
}
