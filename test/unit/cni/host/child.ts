import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

/** A process that goes with its test. */
export interface Child {
  readonly process: ChildProcess
  /** What it says next; undefined = it has ended. */
  line(): Promise<string | undefined>
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts JavaScript that may import our sources by their full path. */
export function startScript(t: Test, script: string, env: NodeJS.ProcessEnv = {}): Child {
  return own(t, spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...env } }))
}

/** Starts a shell. */
export function startShell(t: Test, script: string, env: NodeJS.ProcessEnv = {}): Child {
  return own(t, spawn('/bin/sh', ['-c', script], { env: { ...process.env, ...env } }))
}

function own(t: Test, child: ChildProcess): Child {
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  if (child.stdout === null) throw new Error('the child has no stdout')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  child.stderr?.resume()
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(kill)
  return { process: child, line: async () => (await lines.next()).value, kill }
}

/** Whether a process works: not ended, not waiting to be buried. */
export function isRunning(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
    return state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}
