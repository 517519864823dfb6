import { constants, existsSync, readFileSync, unlinkSync } from 'node:fs'
import { access, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../host/files.ts'
import { replaceFile, syncFolderNow } from '../host/files-sync.ts'
import { acquireLock, isHeld, type Lock, LockTimeout, waitUntilFree } from '../host/lock.ts'
import { KactusCode } from '../networks/codes.ts'
import { type ContainerRecord, parseRecord, printRecord, RecordError } from '../networks/record.ts'
import { RECORD_SUFFIX, recordsFolder } from '../networks/record-folder.ts'
import { CniCode, CniError } from '../spec/errors.ts'

/** Longer than any delegate may take, so that a waiting command outlives the one before it. */
const LOCK_TIMEOUT_MS = 110_000
/** How long GC holds up new commands while it waits for those that run. */
const GC_TIMEOUT_MS = 20_000
/** No container id begins with a dot. */
const GC_LOCK = '.gc'

/** kactus' state folder: one record per container, and the locks that guard them. */
export class RecordStore {
  readonly #records: string
  readonly #locks: string
  readonly #damaged: string
  /** Containers whose record this run has made safe by name too. */
  readonly #settled = new Set<string>()
  readonly #onDamaged: (message: string) => void

  /** @param onDamaged told of each record that was set aside */
  constructor(cniDir: string, onDamaged: (message: string) => void) {
    this.#records = recordsFolder(cniDir)
    this.#locks = join(cniDir, 'locks')
    this.#damaged = join(cniDir, 'damaged')
    this.#onDamaged = onDamaged
  }

  /**
   * Waits until no other command works on the container and no GC is under way.
   * @throws CniError
   */
  async lock(containerId: string): Promise<Lock> {
    return this.#locking(async () => {
      const deadline = performance.now() + LOCK_TIMEOUT_MS
      while (true) {
        const timeoutMs = Math.max(deadline - performance.now(), 0)
        const lock = await acquireLock(this.#locks, containerId, { timeoutMs })
        // GC first takes its lock and then looks for ours: one of the two always sees the other.
        if (!(await isHeld(this.#locks, GC_LOCK))) return lock
        await lock.release()
        await waitUntilFree(this.#locks, GC_LOCK, { timeoutMs })
      }
    })
  }

  /**
   * Waits until no command works on any container, and keeps new ones waiting.
   * @throws CniError 11
   */
  async lockAll(): Promise<Lock> {
    return this.#locking(async () => {
      const lock = await acquireLock(this.#locks, GC_LOCK, { timeoutMs: GC_TIMEOUT_MS })
      try {
        for (const name of (await readdir(this.#locks)).filter(name => name !== GC_LOCK)) {
          await (await acquireLock(this.#locks, name, { timeoutMs: GC_TIMEOUT_MS })).release()
        }
        return lock
      } catch (error) {
        await lock.release()
        if (!(error instanceof LockTimeout)) throw error
        throw new CniError(CniCode.TryAgainLater, 'a container is being worked on for too long', { cause: error })
      }
    })
  }

  /** The record of a container. A damaged one is set aside and counts as none. */
  async read(containerId: string): Promise<ContainerRecord | undefined> {
    const path = this.#path(containerId)
    try {
      return parseRecord(readFileSync(path, 'utf8'), containerId)
    } catch (error) {
      if (isMissing(error)) return undefined
      if (!(error instanceof RecordError)) throw stateError('cannot be read', containerId, error)
      await this.#setAside(containerId, error)
      return undefined
    }
  }

  /**
   * Writes a record so that it is found whole, whatever happens next.
   * @param durable also after a power loss
   */
  async write(record: ContainerRecord, durable: boolean): Promise<void> {
    const path = this.#path(record.containerId)
    // One name for the temporary file, as only the lock's holder writes: what a kill leaves, the next write replaces.
    const options = { mode: 0o600, temporary: `${path}.tmp`, durable }
    try {
      if (!existsSync(this.#records)) await makeFolder(this.#records)
      replaceFile(path, printRecord(record), options)
      // A power loss may bring back the older content. That of before this run lacks what it attaches; that of this
      // run's own first write knows all of it, if not how far it is.
      if (durable && !this.#settled.has(record.containerId)) {
        syncFolderNow(this.#records)
        this.#settled.add(record.containerId)
      }
    } catch (error) {
      throw stateError('cannot be written', record.containerId, error)
    }
  }

  async remove(containerId: string): Promise<void> {
    this.#settled.delete(containerId)
    const path = this.#path(containerId)
    for (const file of [path, `${path}.tmp`]) {
      try {
        unlinkSync(file)
      } catch (error) {
        if (!isMissing(error)) throw stateError('cannot be removed', containerId, error)
      }
    }
  }

  /** Ids of all containers with a record. */
  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#records).catch(error => {
      if (isMissing(error)) return []
      throw stateError('cannot be listed', this.#records, error)
    })
    return names.filter(name => name.endsWith(RECORD_SUFFIX)).map(name => name.slice(0, -RECORD_SUFFIX.length))
  }

  /** Makes the folders, to see that they can be written. */
  async prepare(): Promise<void> {
    for (const folder of [this.#records, this.#locks]) {
      try {
        await makeFolder(folder)
        await access(folder, constants.W_OK)
      } catch (error) {
        throw stateError('cannot be written', folder, error)
      }
    }
  }

  #path(containerId: string): string {
    return join(this.#records, `${containerId}${RECORD_SUFFIX}`)
  }

  async #setAside(containerId: string, fault: RecordError): Promise<void> {
    const target = join(this.#damaged, `${containerId}.${Date.now()}`)
    await makeFolder(this.#damaged)
    await rename(this.#path(containerId), target)
    this.#onDamaged(`the record of container ${containerId} is damaged and lies in ${target} now: ${fault.message}`)
  }

  async #locking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof CniError) throw error
      if (error instanceof LockTimeout) throw new CniError(KactusCode.Lock, error.message, { cause: error })
      throw stateError('cannot be locked', this.#locks, error)
    }
  }
}

function stateError(what: string, name: string, cause: unknown): CniError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return new CniError(KactusCode.State, `the state of ${name} ${what}: ${String(code ?? cause)}`, { cause })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
