import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { watchAt } from './local-socket.ts'
import { ASIDE, inFolder, LockCandidate, MARK, ownerOf, remove, sweepCandidates } from './lock-candidate.ts'
import { pause } from './pause.ts'
import { isLiving } from './process-identity.ts'
import { errorCode, isMissing } from './system-error.ts'

/**
 * Locks between processes that a dead holder never keeps, and that only root can come near.
 *
 * A lock is a folder with one socket in it, which its holder listens on: whoever waits is connected to it, and the kernel
 * ends the connection with the holder. To take it, a folder made ready elsewhere is renamed to the lock's name, which the
 * kernel does for one only, and only if nothing is there or an empty folder. A socket's name is never used twice, so
 * taking a dead holder's away cannot hit a living one's. All of it lies in folders of 0700.
 */
export interface Lock {
  /** A holder before us died with it. What it had begun may be at work still; so until `settle` is called. */
  readonly isUnsettled: boolean
  settle(): void
  /** Aside: `waitForHolders` does not wait for us. Those who want this very lock still do. */
  stand(aside: boolean): void
  release(): void
}

export class LockTimeout extends Error {
  override readonly name = 'LockTimeout'
  readonly code = 'LockTimeout'
}

/** In the place of a lock lies something that none of us put there. */
class LockFault extends Error {
  override readonly name = 'LockFault'
  readonly code = 'LockFault'
}

export interface LockOptions {
  readonly timeoutMs: number
  /** Whether to stand aside to begin with; no unless told. */
  readonly aside?: boolean
}

/** `free`: nobody has it. `abandoned`: its last holder died with it. `held`: somebody has it. */
export type LockState = 'free' | 'abandoned' | 'held'

/**
 * Waits until nobody else holds the lock of that name, and takes it.
 * @throws LockTimeout
 * @throws LockFault
 */
export async function acquireLock(folder: string, name: string, options: LockOptions): Promise<Lock> {
  const path = join(folder, name)
  const deadline = performance.now() + options.timeoutMs
  let candidate = await LockCandidate.make(folder, options.aside === true)
  try {
    while (true) {
      const outcome = candidate.take(path)
      if (outcome === 'taken') return heldLock(folder, path, candidate)
      if (outcome === 'lost') candidate = await LockCandidate.make(folder, options.aside === true)
      else if (await isHeldUntil(path, deadline)) throw late(name, options)
    }
  } catch (error) {
    candidate.drop()
    throw error
  }
}

/**
 * Waits until nobody holds the lock; it may be taken again at once. Never takes it.
 * @throws LockTimeout
 */
export async function waitUntilFree(folder: string, name: string, options: LockOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  while ((await look(join(folder, name), leftUntil(deadline))) === 'held') {
    if (leftUntil(deadline) === 0) throw late(name, options)
  }
}

/** How a lock is at this moment. */
export function lockState(folder: string, name: string): Promise<LockState> {
  return look(join(folder, name), 0)
}

/**
 * Waits until nobody holds any lock of the folder, those aside who stand aside.
 * @param except name of a lock that does not count
 * @returns whether that came to pass in time
 */
export async function waitForHolders(folder: string, except: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (const name of readdirSync(folder).filter(entry => !entry.includes(MARK) && entry !== except)) {
    const path = join(folder, name)
    // In short turns: a holder may step aside without an end to what we are connected to.
    while (counts(path) && (await look(path, TURN_MS)) === 'held') {
      if (leftUntil(deadline) === 0) return false
    }
  }
  return true
}

const TURN_MS = 50
const RETRY_MS = 5

function heldLock(folder: string, path: string, candidate: LockCandidate): Lock {
  let isUnsettled = existsSync(traceOf(path))
  return {
    get isUnsettled() {
      return isUnsettled
    },
    settle() {
      if (isUnsettled) remove(traceOf(path))
      isUnsettled = false
    },
    stand: aside => candidate.stand(aside),
    release() {
      candidate.drop()
      sweepCandidates(folder)
    },
  }
}

async function isHeldUntil(path: string, deadline: number): Promise<boolean> {
  return (await look(path, leftUntil(deadline))) === 'held' && leftUntil(deadline) === 0
}

/** Looks who holds a lock, and waits for their end; a dead one is taken away, and leaves a trace. */
async function look(path: string, limitMs: number): Promise<LockState> {
  const entry = entryOf(path)
  if (entry === undefined) return existsSync(traceOf(path)) ? 'abandoned' : 'free'
  const owner = ownerOf(entry)
  if (owner === undefined) throw new LockFault(`${path} is no lock: it holds ${JSON.stringify(entry)}`)
  const watch = await inFolder(path, here => watchAt(`${here}/${entry}`, limitMs)).catch(error => {
    if (errorCode(error) === 'ENOENT') return 'ended'
    throw error
  })
  if (watch === 'there') return 'held'
  if (entryOf(path) !== entry) return look(path, 0)
  // Its queue is full, or it lets go this moment.
  if (isLiving(owner)) return pause(RETRY_MS).then(() => 'held')
  // The trace comes first: no kill of ours may lose it.
  writeFileSync(traceOf(path), '', { mode: 0o600 })
  remove(join(path, entry))
  return 'abandoned'
}

/** What tells that a holder has died, until what it had begun has ended too. */
function traceOf(path: string): string {
  return `${path}${MARK}`
}

function counts(path: string): boolean {
  const entry = entryOf(path)
  return entry !== undefined && ownerOf(entry) !== undefined && !entry.endsWith(ASIDE)
}

function entryOf(path: string): string | undefined {
  try {
    return readdirSync(path)[0]
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function leftUntil(deadline: number): number {
  return Math.max(deadline - performance.now(), 0)
}

function late(name: string, { timeoutMs }: LockOptions): LockTimeout {
  return new LockTimeout(`the lock ${name} was not free within ${timeoutMs / 1000} s`)
}
