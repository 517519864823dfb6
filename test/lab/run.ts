import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bareEnv, type CommandOptions, collect, type Output, runCommand } from '../machine/command.ts'
import type { Host } from '../machine/machine.ts'
import { Program, type ProgramSpec } from '../machine/program.ts'
import { delist, enlist, noteFolder, runVariable } from './registry.ts'

/** One run of a lab: its id, its folder, and every program it starts. */
export class LabRun {
  readonly id = randomBytes(4).toString('hex')
  /** Holds everything the run writes; gone after `remove`. */
  readonly folder = join(tmpdir(), `nopal-lab-${this.id}`)
  readonly #children: Program[] = []

  /** From now on there is something to take away. */
  begin(): void {
    enlist(this.id, this.folder)
    mkdirSync(this.folder, { mode: 0o700 })
    mkdirSync(join(this.folder, 'logs'))
  }

  /** A folder outside the run's own that must go with it. */
  adoptFolder(folder: string): void {
    noteFolder(this.id, folder)
  }

  /** Where the programs of one machine are started; their logs are named after it. */
  host(machine: string): Host {
    return {
      folder: join(this.folder, machine),
      exec: (argv, options) => this.exec(argv, options),
      start: program => this.start({ ...program, name: `${machine}-${program.name}` }),
    }
  }

  /** Runs a program to its end, whatever its exit code. */
  async exec(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return await collect(argv, { ...options, env: { ...bareEnv, ...this.#marked(options.env) } })
  }

  /**
   * Runs a program that must succeed and returns what it printed.
   * @throws CommandFailed
   */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    return await runCommand(argv, { ...options, env: this.#marked(options.env) })
  }

  /** Starts a program that runs beside the lab and dies with it. Its output goes to `logs/<name>.log`. */
  start(program: ProgramSpec): Program {
    const logFile = join(this.folder, 'logs', `${program.name}.log`)
    const child = new Program({ ...program, env: this.#marked(program.env), logFile })
    this.#children.push(child)
    return child
  }

  /** Ends every program that nobody has ended: what it works on is about to go. */
  async endChildren(): Promise<void> {
    await Promise.all(this.#children.map(child => child.stop('SIGKILL')))
  }

  /** Writes a file of the run, for its owner's eyes alone unless told. */
  async writeFile(name: string, text: string, mode = 0o600): Promise<string> {
    const file = join(this.folder, name)
    await writeFile(file, text, { mode })
    return file
  }

  /** The last lines of every log, for the one who must find out why a run failed. */
  logTails(lines = 15): string {
    const folder = join(this.folder, 'logs')
    if (!existsSync(folder)) return ''
    return readdirSync(folder)
      .map(file => `--- ${file}\n${lastLines(readFileSync(join(folder, file), 'utf8'), lines)}`)
      .join('\n')
  }

  /** Takes the run's folder and its entry away; the last step of stopping. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
    delist(this.id)
  }

  #marked(env: CommandOptions['env']): Record<string, string> {
    return { ...env, [runVariable]: this.id }
  }
}

function lastLines(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}
