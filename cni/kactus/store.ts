import { constants, existsSync, readFileSync, unlinkSync } from 'node:fs'
import { access, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../host/files.ts'
import { replaceFile, syncFolderNow } from '../host/files-sync.ts'
import { KactusCode } from '../networks/codes.ts'
import { ContainerLocks } from '../networks/container-locks.ts'
import { type ContainerRecord, parseRecord, printRecord, RecordError } from '../networks/record.ts'
import { RECORD_SUFFIX, recordsFolder } from '../networks/record-folder.ts'
import { CniError } from '../spec/errors.ts'

/** kactus' state folder: one record per container, and the locks that guard them. */
export class RecordStore {
  readonly #records: string
  readonly locks: ContainerLocks
  readonly #damaged: string
  /** Containers whose record this run has made safe by name too. */
  readonly #settled = new Set<string>()
  readonly #note: (message: string) => void

  /** @param note told of each record that was set aside, and of plugins that had to be killed */
  constructor(cniDir: string, note: (message: string) => void) {
    this.#records = recordsFolder(cniDir)
    this.locks = new ContainerLocks(cniDir, count => note(`killed ${count} plugins that a dead run had left`))
    this.#damaged = join(cniDir, 'damaged')
    this.#note = note
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
    for (const folder of [this.#records, this.locks.folder]) {
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
    this.#note(`the record of container ${containerId} is damaged and lies in ${target} now: ${fault.message}`)
  }
}

function stateError(what: string, name: string, cause: unknown): CniError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return new CniError(KactusCode.State, `the state of ${name} ${what}: ${String(code ?? cause)}`, { cause })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
