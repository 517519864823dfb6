import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './files.ts'
import { type LocalSocket, listenAt } from './local-socket.ts'
import { isLiving, ownIdentity } from './process-identity.ts'
import { errorCode } from './system-error.ts'

/** In names of what is no lock; neither container ids nor names of locks have it. */
export const MARK = '~'
/** Ends the name of a socket whose holder stands aside. */
export const ASIDE = '.aside'
const ENTRY = /^(\d+-\d+)-\d+(?:\.aside)?$/

/** Whose socket that is; undefined = it is none of ours. */
export function ownerOf(entry: string): string | undefined {
  return ENTRY.exec(entry)?.[1]
}

/** A folder with a socket of ours in it, which needs only the lock's name to be the lock. */
export class LockCandidate {
  readonly #entry: string
  readonly #socket: LocalSocket
  #path: string
  #isAside: boolean

  private constructor(path: string, entry: string, socket: LocalSocket, isAside: boolean) {
    this.#path = path
    this.#entry = entry
    this.#socket = socket
    this.#isAside = isAside
  }

  static async make(folder: string, isAside: boolean): Promise<LockCandidate> {
    // Nobody else is us, and the clock of a process never shows a time twice.
    const entry = `${ownIdentity()}-${process.hrtime.bigint()}`
    const path = join(folder, `${MARK}${entry}`)
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      await makeFolder(path)
    }
    try {
      const socket = await inFolder(path, here => listenAt(`${here}/${entry}${isAside ? ASIDE : ''}`))
      return new LockCandidate(path, entry, socket, isAside)
    } catch (error) {
      rmSync(path, { recursive: true, force: true })
      throw error
    }
  }

  /**
   * Takes the lock of that path, if nobody has it. `lost`: the candidate is gone, as somebody who sees other process numbers
   * took it for a dead one's.
   */
  take(path: string): 'taken' | 'not' | 'lost' {
    try {
      renameSync(this.#path, path)
      this.#path = path
      return 'taken'
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return 'not'
      if (code === 'ENOTDIR') {
        // What is no folder is none of ours.
        remove(path)
        return 'not'
      }
      if (code !== 'ENOENT') throw error
      this.drop()
      return 'lost'
    }
  }

  stand(aside: boolean): void {
    if (aside === this.#isAside) return
    const [from, to] = aside ? ['', ASIDE] : [ASIDE, '']
    renameSync(join(this.#path, `${this.#entry}${from}`), join(this.#path, `${this.#entry}${to}`))
    this.#isAside = aside
  }

  /** First out of use, then free: who is woken finds nothing of ours. */
  drop(): void {
    try {
      unlinkSync(join(this.#path, `${this.#entry}${this.#isAside ? ASIDE : ''}`))
      rmdirSync(this.#path)
    } catch {
      // Somebody has taken the empty folder already, or nothing can be written there any more.
    }
    this.#socket.close()
  }
}

/** Takes away what those have left that were killed while they waited. */
export function sweepCandidates(folder: string): void {
  try {
    for (const entry of readdirSync(folder)) {
      const owner = entry.startsWith(MARK) ? ownerOf(entry.slice(MARK.length)) : undefined
      if (owner !== undefined && !isLiving(owner)) rmSync(join(folder, entry), { recursive: true, force: true })
    }
  } catch {
    // Whoever comes next tries again.
  }
}

/** Works in a folder by a path that is short, whatever the folder's: that of a socket holds no more than 107 bytes. */
export async function inFolder<T>(path: string, work: (here: string) => Promise<T>): Promise<T> {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return await work(`/proc/self/fd/${folder}`)
  } finally {
    closeSync(folder)
  }
}

/** Removes a file, which may be gone already. */
export function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}
