import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { exchangeLine } from '../host/line-exchange.ts'
import {
  type LookupAnswer,
  type LookupQuestion,
  MAX_ANSWER_BYTES,
  parseAnswer,
  printQuestion,
} from '../networks/lookup-protocol.ts'

export interface AgentOptions {
  readonly socket: string
  /** Whose the agent is. */
  readonly uid: number
  /** Limit until the first byte of the answer. */
  readonly firstByteMs: number
  /** Limit of all. */
  readonly totalMs: number
}

/** Asks the agent on this node. undefined = it is not there, does not know, is too slow or makes no sense. */
export async function askAgent(question: LookupQuestion, options: AgentOptions): Promise<LookupAnswer | undefined> {
  if (!isAgentSocket(options.socket, options.uid)) return undefined
  const { socket, firstByteMs, totalMs } = options
  const line = printQuestion(question)
  const text = await exchangeLine({ socket, line, maxBytes: MAX_ANSWER_BYTES, firstByteMs, totalMs })
  return text === undefined ? undefined : parseAnswer(text)
}

/** Whether a path is a socket that nobody but this user can have put there. */
export function isAgentSocket(socket: string, uid: number): boolean {
  try {
    const [entry, folder] = [lstatSync(socket), lstatSync(dirname(socket))]
    const isShut = (folder.mode & 0o022) === 0
    return entry.isSocket() && entry.uid === uid && folder.isDirectory() && folder.uid === uid && isShut
  } catch {
    return false
  }
}
