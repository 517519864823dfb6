import { join } from 'node:path'
import { acquireLock, type Lock, LockTimeout, lockState, waitForHolders, waitUntilFree } from '../host/lock.ts'
import type { OrphanScope } from '../host/orphans.ts'
import { messageOf } from '../host/system-error.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { KactusCode } from './codes.ts'

/** Longer than any delegate may take, so that a waiting command outlives the one before it. */
const LOCK_TIMEOUT_MS = 110_000
const GC_TIMEOUT_MS = 20_000
/** How long GC holds up new commands while it waits for those that run; then it lets them pass and tries again. */
const GC_HOLD_MS = 1000
/** What a plugin of a dead run gets to come to its own end. */
const ORPHAN_GRACE_MS = 2000
/** No container id begins with a dot. */
const GC_LOCK = '.gc'

/** The lock of one container; nobody else works on it. */
export interface ContainerLock {
  /**
   * Waits until no GC is under way, and keeps those that come waiting. Before it there may be much to do that needs no
   * plugin: a GC does not wait for that.
   * @throws CniError
   */
  begin(): Promise<void>
  release(): void
}

/** The locks of kactus' state folder: whoever changes what a container is attached to holds its lock, also the agent. */
export class ContainerLocks {
  readonly folder: string
  readonly #cniDir: string
  readonly #onKilled: (count: number) => void

  /** @param onKilled told how many plugins had to be killed that dead runs had left */
  constructor(cniDir: string, onKilled: (count: number) => void = () => undefined) {
    this.#cniDir = cniDir
    this.folder = join(cniDir, 'locks')
    this.#onKilled = onKilled
  }

  /**
   * Waits until nobody else works on the container, nor what a dead run has left at work.
   * @throws CniError
   */
  lock(containerId: string, timeoutMs = LOCK_TIMEOUT_MS): Promise<ContainerLock> {
    return this.#locking(async () => {
      const lock = await acquireLock(this.folder, containerId, { timeoutMs, aside: true })
      try {
        if (lock.isUnsettled) await this.#settle(lock, { containerId })
      } catch (error) {
        lock.release()
        throw error
      }
      return { begin: () => this.#locking(() => this.#begin(lock)), release: () => lock.release() }
    })
  }

  /**
   * The same without waiting; undefined = somebody works on the container.
   * @throws CniError
   */
  async lockAtOnce(containerId: string): Promise<ContainerLock | undefined> {
    try {
      return await this.lock(containerId, 0)
    } catch (error) {
      if (error instanceof CniError && error.code === KactusCode.Lock) return undefined
      throw error
    }
  }

  /**
   * Stands in for `lock` where it cannot be had, as on a full disk: waits likewise, but keeps nobody else from the
   * container.
   */
  async waitFor(containerId: string): Promise<ContainerLock> {
    // What cannot even be looked at is not waited for.
    await waitUntilFree(this.folder, containerId, { timeoutMs: LOCK_TIMEOUT_MS }).catch(() => undefined)
    await this.#endOrphans({ containerId })
    return { begin: async () => undefined, release: () => undefined }
  }

  /**
   * Waits until no command works on any container, nor what dead runs have left at work, and keeps new ones waiting.
   * @throws CniError 11
   */
  lockAll(): Promise<Lock> {
    return this.#locking(async () => {
      const deadline = performance.now() + GC_TIMEOUT_MS
      const leftMs = () => Math.max(deadline - performance.now(), 0)
      while (true) {
        const lock = await this.#tryAll(leftMs())
        if (lock !== undefined) return lock
        if (await waitForHolders(this.folder, GC_LOCK, leftMs())) continue
        throw new CniError(CniCode.TryAgainLater, 'a container is being worked on for too long')
      }
    })
  }

  async #begin(lock: Lock): Promise<void> {
    const timeoutMs = LOCK_TIMEOUT_MS
    while (true) {
      // First we are counted, then we look: of GC and us one always sees the other.
      lock.stand(false)
      const state = await lockState(this.folder, GC_LOCK)
      if (state === 'free') return
      lock.stand(true)
      if (state === 'held') await waitUntilFree(this.folder, GC_LOCK, { timeoutMs })
      else await this.#settleGc(timeoutMs)
    }
  }

  /** Waits a little with the lock held; undefined = somebody takes longer. */
  async #tryAll(timeoutMs: number): Promise<Lock | undefined> {
    const lock = await acquireLock(this.folder, GC_LOCK, { timeoutMs })
    try {
      const isAlone = await waitForHolders(this.folder, GC_LOCK, Math.min(GC_HOLD_MS, timeoutMs))
      if (isAlone) await this.#settle(lock, { allOf: this.#cniDir })
      else lock.release()
      return isAlone ? lock : undefined
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** A GC was killed, and its plugins may be taking away what they were told is stale: everybody waits for their end. */
  async #settleGc(timeoutMs: number): Promise<void> {
    const lock = await acquireLock(this.folder, GC_LOCK, { timeoutMs })
    try {
      if (lock.isUnsettled) await this.#settle(lock, { gcOf: this.#cniDir })
    } finally {
      lock.release()
    }
  }

  async #settle(lock: Lock, scope: OrphanScope): Promise<void> {
    await this.#endOrphans(scope)
    lock.settle()
  }

  async #endOrphans(scope: OrphanScope): Promise<void> {
    const { endOrphans } = await import('../host/orphans.ts')
    const killed = await endOrphans(scope, ORPHAN_GRACE_MS)
    if (killed > 0) this.#onKilled(killed)
  }

  async #locking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof CniError) throw error
      const message = messageOf(error)
      const isLate = error instanceof LockTimeout
      const what = isLate ? message : `the state of ${this.folder} cannot be locked: ${message}`
      throw new CniError(isLate ? KactusCode.Lock : KactusCode.State, what, { cause: error })
    }
  }
}
