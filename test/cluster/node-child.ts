import { once } from 'node:events'
import { type Child, lastLines, startChild } from './process.ts'

/** A Node program of ours that is started with a message and answers with one when it is ready. */
export interface NodeChildOptions {
  readonly name: string
  /** Path of its TypeScript file. */
  readonly file: string
  /** Node's own flags. */
  readonly execArgv?: readonly string[]
  readonly folder: string
  readonly netns?: string | undefined
  readonly config: object
}

/** Starts it and waits until it is ready; the second value is what it said then. */
export async function startNodeChild(options: NodeChildOptions): Promise<readonly [Child, unknown]> {
  const { name, file, execArgv = [], folder, netns } = options
  const command = [process.execPath, ...execArgv, file]
  const child = await startChild({ name, folder, netns, command, channel: true })
  const ready = once(child.process, 'message')
  child.process.send(options.config)
  const first = await Promise.race([ready, child.ended])
  if (typeof first === 'string') throw new Error(`${name} did not start (${first}): ${await lastLines(child, 5)}`)
  return [child, first[0]]
}
