import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { until } from '../machine/wait.ts'

export interface ChildOptions {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
}

/** A program that runs beside the lab, with its output in a log file. */
export class LabChild {
  readonly name: string
  readonly logFile: string
  /** Resolves when the program has ended, with its exit code; one killed by a signal has null. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  /** Where this program's part of the log begins: one that is started again adds to the same file. */
  readonly #logStart: number
  #running = true

  constructor(options: ChildOptions) {
    this.name = options.name
    this.logFile = options.logFile
    const [file = '', ...rest] = options.argv
    const log = openSync(options.logFile, 'a', 0o600)
    this.#logStart = fstatSync(log).size
    // Standard input stays open as long as the lab lives: a program may wait for its end.
    this.#child = spawn(file, rest, { env: options.env, stdio: ['pipe', log, log] })
    closeSync(log)
    this.#child.stdin?.on('error', () => {})
    this.ended = new Promise(resolve => {
      const end = (code: number | null) => {
        this.#running = false
        resolve(code)
      }
      this.#child.on('exit', end)
      this.#child.on('error', () => end(127))
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`)
    return this.#child.pid
  }

  get running(): boolean {
    return this.#running
  }

  log(): string {
    return readFileSync(this.logFile).subarray(this.#logStart).toString()
  }

  /** Waits until the program has printed something that matches. Fails at once if it ends before. */
  async waitForLog(pattern: RegExp, limitMs = 20_000): Promise<void> {
    await until(`${this.name} to say ${pattern}`, () => pattern.test(this.log()) || this.failIfEnded(), { limitMs })
  }

  /** Asks the program to end, kills it if it has not after the limit, and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', limitMs = 10_000): Promise<number | null> {
    if (!this.#running) return await this.ended
    this.#child.kill(signal)
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), limitMs)
    const code = await this.ended
    clearTimeout(limit)
    return code
  }

  /** For a wait: what has ended cannot get ready any more. */
  failIfEnded(): false {
    if (this.#running) return false
    throw new Error(`${this.name} ended before it was ready:\n${this.log().slice(-2000)}`)
  }
}
