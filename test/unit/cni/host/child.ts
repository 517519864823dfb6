import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { STARTER_MARK } from '../../../../cni/host/process-identity.ts'

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

/** A plugin whose starter is dead: it works until it is told to end. */
export interface OrphanedPlugin {
  readonly pid: number
  /** What it says next; undefined = it has ended. */
  line(): Promise<string | undefined>
  end(): void
}

/** @param env what a plugin is told; the mark of a starter that is no more is added */
export async function startPlugin(t: Test, env: NodeJS.ProcessEnv, script = 'read go'): Promise<OrphanedPlugin> {
  // No process has the number 0.
  const marked = { ...process.env, [STARTER_MARK]: '0-0', ...env }
  const child = own(t, spawn('/bin/sh', ['-c', `echo up; ${script}`], { env: marked, detached: true }))
  if ((await child.line()) !== 'up') throw new Error('the plugin did not start')
  return { pid: child.process.pid ?? 0, line: child.line, end: () => void child.process.stdin?.write('go\n') }
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
