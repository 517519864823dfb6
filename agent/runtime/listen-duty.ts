import { errorCode } from '../../cni/host/system-error.ts'
import type { Duty } from './duty.ts'
import type { Logger } from './log.ts'

/** Something that listens on a port. */
export interface Listener {
  readonly port: number
  close(): Promise<void>
}

export interface ListenDutyOptions {
  readonly name: string
  /** Throws the error of listen(2) or bind(2). */
  readonly open: () => Promise<Listener>
  /** The settings' address, for people. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly log: Logger
}

/** How soon a port is had that somebody else gives up: the agent before this one, in most cases. */
const takenMs = 500

/** Keeps a listener. A port that is taken is waited for: the rest of the agent needs none. */
export function createListenDuty({ name, open, listen, log }: ListenDutyOptions): Required<Duty> {
  let listener: Listener | undefined
  let said = false
  return {
    name,
    async reconcile() {
      try {
        listener ??= await open()
      } catch (error) {
        if (!isTaken(error)) throw error
        if (!said) log.warn({ duty: name, ...listen, err: error }, 'the port is taken: waiting for it')
        said = true
        return takenMs
      }
      log.info({ duty: name, ...listen, port: listener.port }, 'listening')
      return undefined
    },
    close: async () => listener?.close(),
  }
}

/** Another socket has the port, or the address has yet to come. */
function isTaken(error: unknown): boolean {
  return ['EADDRINUSE', 'EADDRNOTAVAIL'].includes(errorCode(error) ?? '')
}
