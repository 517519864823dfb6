import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CodedError } from '../../cni/host/coded-error.ts'
import { makeFolder } from '../../cni/host/files.ts'
import { orMissing } from '../../cni/host/system-error.ts'

/** The socket cannot be had. */
class SocketError extends CodedError<'BadFolder' | 'NotASocket'> {
  override readonly name = 'SocketError'
}

/** Which socket it is that lies at a path. */
export interface SocketIdentity {
  readonly dev: bigint
  readonly ino: bigint
}

/** A socket is made under such a name beside the path and then moved there. */
const freshEnding = /^\.[0-9a-f]{8}$/
/** From its making to its move takes a moment: what is older has lost its maker. */
const strayMs = 60_000

/**
 * Makes the folder for root alone, and takes away what agents left that were killed in the middle.
 * @throws SocketError
 */
export async function prepareFolder(
  path: string,
  { uid, nowMs }: { readonly uid: number; readonly nowMs: number },
): Promise<void> {
  const folder = dirname(path)
  await makeFolder(folder)
  const entry = await lstat(folder)
  if (!entry.isDirectory()) throw new SocketError('BadFolder', `${folder} is no folder`)
  if (entry.uid !== uid) throw new SocketError('BadFolder', `${folder} belongs to user ${entry.uid}`)
  const names = await readdir(folder)
  await removeStrays(path, names, nowMs)
  if ((entry.mode & 0o077) === 0) return
  // kubelet makes it 0755 for the mount. A folder that others use is not ours to close.
  if (names.every(name => isOurs(path, name))) await chmod(folder, 0o700)
  else if ((entry.mode & 0o022) !== 0) throw new SocketError('BadFolder', `others may write to ${folder}`)
}

function isOurs(path: string, name: string): boolean {
  const own = basename(path)
  return name === own || (name.startsWith(own) && freshEnding.test(name.slice(own.length)))
}

async function removeStrays(path: string, names: readonly string[], nowMs: number): Promise<void> {
  for (const name of names.filter(each => each !== basename(path) && isOurs(path, each))) {
    const file = join(dirname(path), name)
    const { mtimeMs } = await lstat(file)
    if (nowMs - mtimeMs > strayMs) await rm(file, { force: true })
  }
}

/** @param tag eight hex digits that nobody else has */
export function freshName(path: string, tag: string): string {
  return `${path}.${tag}`
}

/**
 * Puts a socket that is listened on already in its place, in one step: there is no moment without one, whoever's it was.
 * @throws SocketError where something else lies there
 */
export async function publishSocket(fresh: string, path: string): Promise<SocketIdentity> {
  await chmod(fresh, 0o600)
  const there = await lstat(path).catch(orMissing)
  if (there !== undefined && !there.isSocket()) throw new SocketError('NotASocket', `${path} is there and is no socket`)
  const { dev, ino } = await lstat(fresh, { bigint: true })
  await rename(fresh, path)
  return { dev, ino }
}

/** Whether anything lies at the path. */
export async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(orMissing)) !== undefined
}

/** Takes the socket away, unless another agent has put its own there. */
export async function withdrawSocket(path: string, own: SocketIdentity): Promise<void> {
  const there = await lstat(path, { bigint: true }).catch(orMissing)
  if (there?.ino === own.ino && there.dev === own.dev) await rm(path, { force: true })
}
