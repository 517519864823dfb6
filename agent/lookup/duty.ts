import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { type LineServer, startLineServer } from './server.ts'
import { freshName, isThere, prepareFolder, publishSocket, type SocketIdentity, withdrawSocket } from './socket-file.ts'

export interface LookupDutyOptions {
  readonly path: string
  /** Whose kactus runs as: it trusts no other socket. */
  readonly uid: number
  readonly answer: (line: string) => Promise<string>
  readonly onRefused: () => void
  /** Runs the duty again. */
  readonly wake: () => void
  readonly log: Logger
  readonly clock: Clock
}

interface Open {
  readonly server: LineServer
  readonly identity: SocketIdentity
}

/** How soon a socket that somebody removed is there again. */
const lookAgainMs = 30_000

/** Keeps a socket at the path, on which kactus is answered. */
export function createLookupDuty(options: LookupDutyOptions): Required<Duty> {
  const { path, log } = options
  let open: Open | undefined
  const replace = async (next: Open | undefined) => {
    const previous = open
    open = next
    await previous?.server.close()
  }
  return {
    name: 'lookup',
    async reconcile() {
      if (open !== undefined && (await isThere(path))) return lookAgainMs
      const onBroken = (err: Error) => {
        log.warn({ path, err }, 'the lookup socket broke')
        replace(undefined).then(options.wake, options.wake)
      }
      await replace(await openSocket(options, onBroken))
      log.info({ path }, 'kactus is answered')
      return lookAgainMs
    },
    async close() {
      if (open !== undefined) await withdrawSocket(path, open.identity)
      await replace(undefined)
    },
  }
}

async function openSocket(options: LookupDutyOptions, onBroken: (error: Error) => void): Promise<Open> {
  const { path, uid, answer, onRefused, clock } = options
  await prepareFolder(path, { uid, nowMs: clock.now() })
  const fresh = freshName(path, randomBytes(4).toString('hex'))
  const server = await startLineServer({ path: fresh, answer, onRefused, onBroken })
  try {
    return { server, identity: await publishSocket(fresh, path) }
  } catch (error) {
    await server.close()
    await rm(fresh, { force: true })
    throw error
  }
}
