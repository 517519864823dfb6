import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { bareEnv } from './command.ts'
import { until } from './wait.ts'

export interface ProgramSpec {
  readonly name: string
  readonly argv: readonly string[]
  /** Beside the bare environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Opens a message channel; the program must be Node. */
  readonly channel?: boolean
}

interface StartOptions extends ProgramSpec {
  /** Takes what it prints, for its owner's eyes alone. */
  readonly logFile: string
  /** It goes on when this process is gone. Else the kernel kills it with the thread that started it: the main one. */
  readonly outlives?: boolean
}

/** A program that runs beside the test. */
export class Program {
  readonly name: string
  readonly logFile: string
  readonly process: ChildProcess
  /** Resolves when the program has ended, with its exit code; one killed by a signal has null. */
  readonly ended: Promise<number | null>
  /** Where its part of the log begins: one that is started again adds to the same file. */
  readonly #logStart: number
  #running = true

  constructor({ name, argv, env, channel = false, logFile, outlives = false }: StartOptions) {
    this.name = name
    this.logFile = logFile
    const [file = '', ...rest] = outlives ? argv : ['setpriv', '--pdeathsig', 'KILL', ...argv]
    const log = openSync(logFile, 'a', 0o600)
    this.#logStart = fstatSync(log).size
    // Standard input stays open as long as we live: a program may wait for its end.
    const input = outlives ? 'ignore' : 'pipe'
    this.process = spawn(file, rest, {
      cwd: '/',
      env: { ...bareEnv, ...env },
      detached: outlives,
      stdio: channel ? [input, log, log, 'ipc'] : [input, log, log],
    })
    closeSync(log)
    this.process.stdin?.on('error', () => {})
    if (outlives) this.process.unref()
    this.ended = new Promise(resolve => {
      const end = (code: number | null) => {
        this.#running = false
        resolve(code)
      }
      this.process.on('exit', end)
      this.process.on('error', () => end(127))
    })
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.name} did not start`)
    return this.process.pid
  }

  get running(): boolean {
    return this.#running
  }

  /** What it has printed. */
  log(): string {
    return readFileSync(this.logFile).subarray(this.#logStart).toString()
  }

  /** Waits until the program has printed something that matches. Fails at once if it ends before. */
  async waitForLog(pattern: RegExp): Promise<void> {
    await until(`${this.name} to say ${pattern}`, () => pattern.test(this.log()) || this.failIfEnded())
  }

  /** Its next message; fails if it ends before. */
  async message(): Promise<unknown> {
    const said = new Promise(resolve => this.process.once('message', resolve))
    return await Promise.race([said, this.ended.then(() => this.failIfEnded())])
  }

  /** Asks the program to end, kills it if it has not after the limit, and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', limitMs = 10_000): Promise<number | null> {
    if (!this.#running) return await this.ended
    this.process.kill(signal)
    const limit = setTimeout(() => this.process.kill('SIGKILL'), limitMs)
    const code = await this.ended
    clearTimeout(limit)
    return code
  }

  /** For a wait: what has ended cannot get ready any more. */
  failIfEnded(): false {
    if (this.#running) return false
    const how = this.process.signalCode ?? this.process.exitCode ?? 'it could not start'
    throw new Error(`${this.name} ended (${how}):\n${this.log().slice(-2000)}`)
  }
}

/**
 * Starts a Node program of ours that is told what to do by a message, and answers with one when it is ready.
 * @returns the program and its answer
 */
export async function startTold(
  options: StartOptions & { readonly told: object },
): Promise<readonly [Program, unknown]> {
  const program = new Program({ ...options, channel: true })
  const ready = program.message()
  program.process.send(options.told)
  return [program, await ready]
}
