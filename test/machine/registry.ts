import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** A process: its id and the clock tick at which it started, a pair that is never used twice. */
export interface Owner {
  readonly pid: number
  readonly startTime: string
}

export function thisProcess(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }
}

/** Whether it lives; its id used again does not count. */
export function ownerLives({ pid, startTime }: Owner): boolean {
  return startTimeOf(pid) === startTime
}

/** Something of that name is listed already. */
export class AlreadyListed extends Error {
  override readonly name = 'AlreadyListed'
  readonly code = 'AlreadyListed'
}

/** A folder with an entry for each thing that must be taken away again, so that what a killed process left is found. */
export class Registry {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * Lists a thing. Its entry appears whole, by a rename, and of two who claim one name one gets it.
   * @param files of the entry, by name
   * @throws AlreadyListed
   */
  claim(id: string, files: Readonly<Record<string, string>>): void {
    this.#inside(() => {
      const draft = mkdtempSync(join(this.folder, '.draft-'))
      try {
        for (const [name, text] of Object.entries(files)) writeFileSync(join(draft, name), text)
        renameSync(draft, join(this.folder, id))
      } catch (error) {
        rmSync(draft, { recursive: true, force: true })
        if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw new AlreadyListed(`${id} is listed already`)
        throw error
      }
    })
  }

  /** Every thing on the list. */
  ids(): string[] {
    try {
      return readdirSync(this.folder).filter(name => !name.startsWith('.'))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  /** A file of an entry; undefined where there is no such entry. */
  read(id: string, file: string): string | undefined {
    try {
      return readFileSync(join(this.folder, id, file), 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** Replaces a file of an entry, whole. */
  write(id: string, file: string, text: string): void {
    const draft = join(this.folder, id, `.${file}`)
    writeFileSync(draft, text)
    renameSync(draft, join(this.folder, id, file))
  }

  /** Takes a thing off the list; the last one takes the list itself. */
  release(id: string): void {
    rmSync(join(this.folder, id), { recursive: true, force: true })
    try {
      rmdirSync(this.folder)
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(codeOf(error))) throw error
    }
  }

  /** Who releases the last entry takes the folder away, maybe right before we use it: then once more. */
  #inside(work: () => void): void {
    for (let attempt = 1; ; attempt++) {
      try {
        mkdirSync(this.folder, { recursive: true })
        work()
        return
      } catch (error) {
        if (attempt === 10 || codeOf(error) !== 'ENOENT') throw error
      }
    }
  }
}

/** The process's name, in brackets, may hold spaces and brackets itself: count from the last one. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
