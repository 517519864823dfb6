import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { AbstractSockets, BoundSocket, Watch } from './abstract-socket.ts'
import { bunSockets } from './abstract-socket-bun.ts'
import { nodeSockets } from './abstract-socket-node.ts'
import { bunEngine } from './bun.ts'
import { makeFolder } from './files.ts'
import { pause } from './pause.ts'
import { randomHex } from './random.ts'
import { isBoundByOthers } from './socket-owner.ts'

/**
 * Locks between processes that a dead holder never keeps.
 *
 * Whoever is bound to an abstract UNIX socket holds the lock: the kernel frees the name with the process. Such names are
 * open to everybody in the network namespace, so the name is a random one, found in a folder only we can read, and used
 * for one holder only: who saw it in /proc/net/unix cannot take it in advance of the next holder.
 * The folder's entry is a symbolic link, because making and reading one is atomic, content and all.
 */
export interface Lock {
  release(): Promise<void>
}

export class LockTimeout extends Error {
  override readonly name = 'LockTimeout'
  readonly code = 'LockTimeout'
}

export interface LockOptions {
  readonly timeoutMs: number
}

/**
 * Waits until nobody else holds the lock of that name, and takes it.
 * @throws LockTimeout
 */
export async function acquireLock(folder: string, name: string, options: LockOptions): Promise<Lock> {
  const path = join(folder, name)
  const deadline = performance.now() + options.timeoutMs
  const sockets = socketsOf()
  while (true) {
    const address = await currentAddress(folder, path)
    const socket = await sockets.bind(address)
    // Whoever held it before took the address out of use when it was done: only the one in the folder counts.
    if (socket !== undefined && read(path) === address) return { release: () => release(path, socket) }
    if (socket !== undefined) {
      socket.close()
      continue
    }
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new LockTimeout(`the lock ${name} was not free within ${options.timeoutMs / 1000} s`)
    const outcome = await released(address, Math.min(leftMs, SUSPECT_MS))
    if (outcome === 'held' && (await isBoundByOthers(address, process.getuid?.() ?? 0))) await retire(path, address)
  }
}

/** After so long it is worth the look at who it is that holds the lock. */
const SUSPECT_MS = 1000

/** A killed holder leaves its name to whoever has read it in /proc/net/unix; the next ones then need another name. */
async function retire(path: string, address: string): Promise<void> {
  if (read(path) === address) removeQuietly(path)
}

/** Waits until nobody holds the lock; it may be taken again at once. Never takes it. */
export async function waitUntilFree(folder: string, name: string, options: LockOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  for (let address = read(join(folder, name)); address !== undefined; address = read(join(folder, name))) {
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new LockTimeout(`the lock ${name} was not free within ${options.timeoutMs / 1000} s`)
    if ((await released(address, leftMs)) === 'nobody') return
  }
}

/** Whether somebody holds the lock at this moment. */
export async function isHeld(folder: string, name: string): Promise<boolean> {
  const address = read(join(folder, name))
  return address !== undefined && (await released(address, 0)) === 'held'
}

async function release(path: string, socket: BoundSocket): Promise<void> {
  // First out of use, then free: nobody can take the name of a lock that has been given up.
  removeQuietly(path)
  socket.close()
}

const ADDRESS = /^nopal-[0-9a-f]{32}$/

async function currentAddress(folder: string, path: string): Promise<string> {
  while (true) {
    const known = read(path)
    if (known !== undefined) return known
    const fresh = `nopal-${randomHex(16)}`
    try {
      symlinkSync(fresh, path)
      return fresh
    } catch (error) {
      if (codeOf(error) === 'ENOENT') await makeFolder(folder)
      else if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}

function read(path: string): string | undefined {
  try {
    const address = readlinkSync(path)
    if (ADDRESS.test(address)) return address
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (codeOf(error) !== 'EINVAL') throw error
  }
  // Nothing of ours ever makes another kind of entry. One that cannot go must not be waited for.
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return undefined
}

/** Waits for the end of a holder; 0 ms only asks whether there is one. */
async function released(address: string, limitMs: number): Promise<Watch> {
  const outcome = await socketsOf().watch(address, limitMs)
  // Its queue may be full, or it has ended this moment: look again, not at once.
  if (outcome === 'nobody' && limitMs > 0) await pause(RETRY_MS)
  return outcome
}

const RETRY_MS = 2

function socketsOf(): AbstractSockets {
  const bun = bunEngine()
  return bun === undefined ? nodeSockets : bunSockets(bun)
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already.
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
