import { constants } from 'node:fs'
import { access, type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomHex } from './random.ts'
import { errorCode } from './system-error.ts'

export interface WriteFileOptions {
  /** Permission bits of the new file, whatever the umask; 0644 unless told. */
  readonly mode?: number
  /** Path of the temporary file, in the same folder; for a writer who is alone by lock and wants no strays after a kill. */
  readonly temporary?: string
}

/**
 * Replaces a file so that a reader, also one after a power loss, finds the old content or the new, whole.
 * A failure leaves the old file as it was and no temporary file.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, options: WriteFileOptions = {}) {
  const temporary = options.temporary ?? join(dirname(path), `.${basename(path)}.${randomHex(6)}.tmp`)
  // A name of our own is never ours before we made it: do not follow or reuse what lies there.
  const exclusive = options.temporary === undefined ? constants.O_EXCL : constants.O_TRUNC
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | exclusive
  const mode = options.mode ?? 0o644
  const file = await open(temporary, flags, mode)
  try {
    await fill(file, data, mode)
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  await syncFolder(dirname(path))
}

/** Makes a folder and those above it that are missing. Node's own recursive way never ends where a file system refuses. */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path), mode)
    await mkdir(path, { mode }).catch(again => {
      if (again.code !== 'EEXIST') throw again
    })
  }
}

/** Whether something that can be got at lies there. */
export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Makes the names in a folder (creations, renames, removals) survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function fill(file: FileHandle, data: string | Uint8Array, mode: number) {
  try {
    // First: a stray of the same name may be open to more eyes than the content is for.
    await file.chmod(mode)
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}
