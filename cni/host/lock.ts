import { randomBytes } from 'node:crypto'
import { readlink, symlink, unlink } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFolder } from './files.ts'
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
  while (true) {
    const address = await currentAddress(folder, path)
    const hold = new Hold()
    const isBound = await hold.bind(address)
    // Whoever held it before took the address out of use when it was done: only the one in the folder counts.
    if (isBound && (await read(path)) === address) return { release: () => release(path, hold) }
    if (isBound) {
      hold.end()
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
  if ((await read(path)) === address) await unlink(path).catch(() => undefined)
}

/** Waits until nobody holds the lock; it may be taken again at once. Never takes it. */
export async function waitUntilFree(folder: string, name: string, options: LockOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  for (let address = await read(join(folder, name)); address !== undefined; address = await read(join(folder, name))) {
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new LockTimeout(`the lock ${name} was not free within ${options.timeoutMs / 1000} s`)
    if ((await released(address, leftMs)) === 'nobody') return
  }
}

/** Whether somebody holds the lock at this moment. */
export async function isHeld(folder: string, name: string): Promise<boolean> {
  const address = await read(join(folder, name))
  return address !== undefined && (await released(address, 0)) === 'held'
}

async function release(path: string, hold: Hold): Promise<void> {
  await unlink(path).catch(() => undefined)
  hold.end()
}

/** An address that is ours. Others wait by being connected: they notice our end, however it comes, at once. */
class Hold {
  readonly #waiting = new Set<Socket>()
  // Listening from the first moment: a connection that nobody noted would outlive the lock.
  readonly #server = createServer(socket => {
    this.#waiting.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#waiting.delete(socket))
  })

  /** Tells whether the address was free. */
  bind(address: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', error => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)))
      this.#server.listen(`\0${address}`, () => resolve(true))
    })
  }

  end(): void {
    this.#server.close()
    for (const socket of this.#waiting) socket.destroy()
  }
}

const ADDRESS = /^nopal-[0-9a-f]{32}$/

async function currentAddress(folder: string, path: string): Promise<string> {
  while (true) {
    const known = await read(path)
    if (known !== undefined) return known
    const fresh = `nopal-${randomBytes(16).toString('hex')}`
    try {
      await symlink(fresh, path)
      return fresh
    } catch (error) {
      if (codeOf(error) === 'ENOENT') await makeFolder(folder)
      else if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    const address = await readlink(path)
    if (ADDRESS.test(address)) return address
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (codeOf(error) !== 'EINVAL') throw error
  }
  // Nothing of ours ever makes another kind of entry. One that cannot go must not be waited for.
  await unlink(path).catch(error => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
  return undefined
}

/** Waits for the end of a holder; 0 ms only asks whether there is one. */
async function released(address: string, limitMs: number): Promise<'nobody' | 'ended' | 'held'> {
  const outcome = await watchHolder(address, limitMs)
  // Its queue may be full, or it has ended this moment: look again, not at once.
  if (outcome === 'nobody' && limitMs > 0) await delay(RETRY_MS)
  return outcome
}

const RETRY_MS = 2

function watchHolder(address: string, limitMs: number): Promise<'nobody' | 'ended' | 'held'> {
  return new Promise(resolve => {
    let reached = false
    const socket = connect(`\0${address}`)
    const timer = setTimeout(() => done('held'), Math.max(limitMs, CONNECT_MS))
    const done = (outcome: 'nobody' | 'ended' | 'held') => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    socket.on('connect', () => {
      reached = true
      if (limitMs === 0) done('held')
    })
    socket.on('error', () => done(reached ? 'ended' : 'nobody'))
    socket.on('close', () => done(reached ? 'ended' : 'nobody'))
    socket.resume()
  })
}

const CONNECT_MS = 1000

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
