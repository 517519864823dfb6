import { constants } from 'node:fs'
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../../cni/host/files.ts'
import { isMissing, orMissing } from '../../cni/host/system-error.ts'
import { InstallError } from './errors.ts'
import { temporaryName } from './paths.ts'

/** Chunks, because the executable is larger than the memory the agent may use. */
const chunkBytes = 1 << 20
/**
 * What is written in large pieces lies in large pages in the kernel's cache, and each page of it that a running kactus
 * touches counts whole: 54 MB resident instead of 29.
 */
const writeBytes = 32 << 10

/** How the executable in place stands to ours; one that nobody may run is as good as missing. */
export type BinaryState = 'current' | 'other' | 'missing'

/** Compares two executables, and reads them again only when one of the files changed. */
export function createBinaryComparer(): (source: string, target: string) => Promise<BinaryState> {
  let known: { key: string; same: boolean } | undefined
  return async (source, target) => {
    const [from, to] = await Promise.all([describe(source), describe(target)])
    if (from === undefined) throw missing(source)
    if (to === undefined || !to.executable) return 'missing'
    if (from.size !== to.size) return 'other'
    const key = `${from.identity} ${to.identity}`
    if (known?.key !== key) known = { key, same: await sameBytes(source, target) }
    return known.same ? 'current' : 'other'
  }
}

/**
 * Puts a copy of the executable in place, whole or not at all. A new file under the old name leaves runs of
 * the old one alone, where writing into it would fail with "text file busy".
 */
export async function copyBinary(source: string, target: string): Promise<void> {
  const temporary = temporaryName(target)
  const from = await open(source).catch(error => {
    throw isMissing(error) ? missing(source) : error
  })
  try {
    await writeCopy(from, temporary)
    await rename(temporary, target)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    await from.close()
  }
  await syncFolder(dirname(target))
}

interface Description {
  readonly size: bigint
  readonly executable: boolean
  readonly identity: string
}

async function describe(path: string): Promise<Description | undefined> {
  const facts = await stat(path, { bigint: true }).catch(orMissing)
  if (facts === undefined) return undefined
  const identity = [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(':')
  return { size: facts.size, executable: (facts.mode & 0o111n) === 0o111n, identity }
}

async function sameBytes(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([open(one), open(other)])
  try {
    const [left, right] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)]
    for (;;) {
      const [readLeft, readRight] = await Promise.all([fill(a, left), fill(b, right)])
      if (!left.subarray(0, readLeft).equals(right.subarray(0, readRight))) return false
      if (readLeft === 0) return true
    }
  } finally {
    await Promise.all([a.close(), b.close()])
  }
}

async function fill(file: FileHandle, buffer: Buffer): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

async function writeCopy(from: FileHandle, path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
  const to = await open(path, flags, 0o755)
  try {
    const buffer = Buffer.alloc(writeBytes)
    for (let read = await fill(from, buffer); read > 0; read = await fill(from, buffer)) {
      await to.writeFile(buffer.subarray(0, read))
    }
    await to.chmod(0o755)
    await to.sync()
  } finally {
    await to.close()
  }
}

function missing(source: string): InstallError {
  return new InstallError('BinaryMissing', `the kactus executable is not at ${source}`)
}
