import { lstat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
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
  if (!(await isAgentSocket(options.socket, options.uid))) return undefined
  const text = await exchange(printQuestion(question), options)
  return text === undefined ? undefined : parseAnswer(text)
}

/** Whether a path is a socket that nobody but this user can have put there. */
export async function isAgentSocket(socket: string, uid: number): Promise<boolean> {
  try {
    const [entry, folder] = await Promise.all([lstat(socket), lstat(dirname(socket))])
    const isShut = (folder.mode & 0o022) === 0
    return entry.isSocket() && entry.uid === uid && folder.isDirectory() && folder.uid === uid && isShut
  } catch {
    return false
  }
}

function exchange(question: string, options: AgentOptions): Promise<string | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let total = 0
    const socket = connect(options.socket)
    const timers = [options.firstByteMs, options.totalMs].map(ms => setTimeout(() => done(undefined), ms))
    const done = (text: string | undefined) => {
      for (const timer of timers) clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    socket.on('connect', () => socket.write(question))
    socket.on('data', (chunk: Buffer) => {
      clearTimeout(timers[0])
      total += chunk.length
      chunks.push(chunk)
      if (total > MAX_ANSWER_BYTES) done(undefined)
      else if (chunk.includes(NEWLINE)) done(Buffer.concat(chunks).toString())
    })
    // Without its newline the answer is not whole.
    socket.on('error', () => done(undefined))
    socket.on('close', () => done(undefined))
  })
}

const NEWLINE = 0x0a
