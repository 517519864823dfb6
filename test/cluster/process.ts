import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A program that runs beside the test. */
export interface Child {
  readonly name: string
  readonly process: ChildProcess
  readonly logFile: string
  /** Ends with the way it ended: `exit code 1`, `signal SIGKILL`, `could not start: ...`. */
  readonly ended: Promise<string>
}

/** How a program is started. */
export interface ChildOptions {
  readonly name: string
  readonly command: readonly string[]
  /** Holds `<name>.log` with all it prints. */
  readonly folder: string
  /** Name below /run/netns. */
  readonly netns?: string | undefined
  /** Opens a message channel (`process.send`); the program must be Node. */
  readonly channel?: boolean
}

/**
 * Starts a program that the kernel kills when this process dies, whatever way it dies.
 * The signal follows the starting thread: call this from the main thread only.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  await mkdir(options.folder, { recursive: true })
  const logFile = join(options.folder, `${options.name}.log`)
  const inside = options.netns === undefined ? [] : ['nsenter', `--net=/run/netns/${options.netns}`]
  const [file = '', ...args] = [...inside, 'setpriv', '--pdeathsig', 'KILL', ...options.command]
  const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'pipe', 'pipe']
  const child = spawn(file, args, { stdio: options.channel ? [...stdio, 'ipc'] : stdio })
  const log = createWriteStream(logFile, { flags: 'a' })
  // Nobody reads the log of a run whose folder is already gone.
  log.on('error', () => undefined)
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  return { name: options.name, process: child, logFile, ended: endOf(child) }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`could not start: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
}

/** Stops a program: SIGTERM, then SIGKILL after the grace. */
export async function stopChild(child: Child, graceMs: number): Promise<void> {
  if (child.process.exitCode === null) child.process.kill('SIGTERM')
  const timer = setTimeout(() => child.process.kill('SIGKILL'), graceMs)
  await child.ended
  clearTimeout(timer)
}

/** The last lines of a program's log, for the message of a failure. */
export async function lastLines(child: Child, count: number): Promise<string> {
  const text = await readFile(child.logFile, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
