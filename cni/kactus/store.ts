import { constants, existsSync, statSync, unlinkSync } from 'node:fs'
import { access, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../host/files.ts'
import { replaceFile, syncFolderNow } from '../host/files-sync.ts'
import { errorCode } from '../host/system-error.ts'
import { KactusCode } from '../networks/codes.ts'
import { ContainerLocks } from '../networks/container-locks.ts'
import { type ContainerRecord, printRecord, RecordError } from '../networks/record.ts'
import { listContainers, readRecord, recordFiles, recordsFolder } from '../networks/record-folder.ts'
import { CniError } from '../spec/errors.ts'

/** kactus' state folder: one record per container, and the locks that guard them. */
export class RecordStore {
  readonly locks: ContainerLocks
  readonly #cniDir: string
  readonly #records: string
  /** Containers whose record this run has made safe by name too. */
  readonly #settled = new Set<string>()
  readonly #note: (message: string) => void

  /**
   * @param note told of each record that cannot be believed
   * @param onKilled told how many plugins had to be killed that dead runs had left
   */
  constructor(cniDir: string, note: (message: string) => void, onKilled?: (count: number) => void) {
    this.#cniDir = cniDir
    this.#records = recordsFolder(cniDir)
    this.locks = new ContainerLocks(cniDir, onKilled)
    this.#note = note
  }

  /**
   * The record of a container. One that cannot be believed is set aside and counts as none.
   * @throws CniError where it cannot be read
   */
  async read(containerId: string): Promise<ContainerRecord | undefined> {
    try {
      return readRecord(this.#cniDir, containerId)
    } catch (error) {
      if (!(error instanceof RecordError)) throw stateError('cannot be read', containerId, error)
      await this.#setAside(containerId, error)
      return undefined
    }
  }

  /** When a record was written last, in milliseconds since 1970; undefined = there is none. */
  writtenMs(containerId: string): number | undefined {
    return statSync(recordFiles(this.#cniDir, containerId).record, { throwIfNoEntry: false })?.mtimeMs
  }

  /**
   * Writes a record so that it is found whole, whatever happens next.
   * @param durable also after a power loss
   */
  async write(record: ContainerRecord, durable: boolean): Promise<void> {
    // One name for the temporary file, as only the lock's holder writes: what a kill leaves, the next write replaces.
    const { record: path, temporary } = recordFiles(this.#cniDir, record.containerId)
    try {
      if (!existsSync(this.#records)) await makeFolder(this.#records)
      replaceFile(path, printRecord(record), { mode: 0o600, temporary, durable })
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

  /** Removes the record, and what a broken-off write of it has left. */
  async remove(containerId: string): Promise<void> {
    this.#settled.delete(containerId)
    const { record, temporary } = recordFiles(this.#cniDir, containerId)
    for (const file of [record, temporary]) {
      try {
        unlinkSync(file)
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw stateError('cannot be removed', containerId, error)
      }
    }
  }

  /** Ids of all containers with a record, or with what a broken-off write of one has left. */
  async list(): Promise<readonly string[]> {
    try {
      return listContainers(this.#cniDir)
    } catch (error) {
      throw stateError('cannot be listed', this.#records, error)
    }
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

  async #setAside(containerId: string, fault: RecordError): Promise<void> {
    const folder = join(this.#cniDir, 'damaged')
    const target = join(folder, `${containerId}.${Date.now()}`)
    const place = await makeFolder(folder)
      .then(() => rename(recordFiles(this.#cniDir, containerId).record, target))
      .then(() => `lies in ${target} now`)
      .catch(error => `stays where it is, as it cannot be moved (${errorCode(error) ?? error})`)
    this.#note(`the record of container ${containerId} is damaged and ${place}: ${fault.message}`)
  }
}

function stateError(what: string, name: string, cause: unknown): CniError {
  return new CniError(KactusCode.State, `the state of ${name} ${what}: ${errorCode(cause) ?? cause}`, { cause })
}
