import { closeSync, constants, fchmodSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'

/*
 * Blocking on purpose: a plugin is a short run with little to do meanwhile, and starting the engine's pool of threads for
 * a dozen small calls takes longer than the calls.
 */

export interface ReplaceFileOptions {
  readonly mode: number
  /** Path of the temporary file, in the same folder. The writer is alone: what a kill left there is written over. */
  readonly temporary: string
  /** `false`: survive a crash of the process, not of the machine. */
  readonly durable: boolean
}

/** Replaces a file so that a reader, also one after a power loss, finds the old content or the new, whole. */
export function replaceFile(path: string, data: string, options: ReplaceFileOptions): void {
  const { temporary, mode, durable } = options
  // Without waiting: somebody may have put a pipe there, which opens only when it is read from.
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants
  const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK
  const file = openSync(temporary, flags, mode)
  try {
    writeFileSync(file, data)
    fchmodSync(file, mode)
    if (durable) fsyncSync(file)
  } catch (error) {
    unlinkSync(temporary)
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

/** Makes the names in a folder (creations, renames, removals) survive a power loss. */
export function syncFolderNow(path: string): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
