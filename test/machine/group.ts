import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CgroupMounts, daemonsFolder, makeCgroup, processesIn } from './cgroups.ts'
import { bareEnv, type CommandOptions, collect, type Output } from './command.ts'
import type { Host } from './machine.ts'
import { Program, type ProgramSpec } from './program.ts'
import { until } from './wait.ts'

export interface GroupSpec {
  /** Unique on the real machine: the name of its control group. */
  readonly name: string
  /** Logs and process ids, and what else the machine needs. */
  readonly folder: string
  readonly cgroups: CgroupMounts
}

/** A control group that holds all processes of a machine. They outlive the one who started them. */
export class Group implements Host {
  readonly name: string
  readonly folder: string
  readonly #cgroups: CgroupMounts

  constructor({ name, folder, cgroups }: GroupSpec) {
    this.name = name
    this.folder = folder
    this.#cgroups = cgroups
  }

  async make(): Promise<void> {
    for (const part of ['log', 'pid']) mkdirSync(join(this.folder, part), { recursive: true })
    await makeCgroup(this.#cgroups, this.name)
  }

  exec(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return collect(this.#joined(argv), { ...options, env: { ...bareEnv, ...options.env } })
  }

  /** What it prints goes to `log/NAME.log`. */
  start(spec: ProgramSpec): Program {
    const logFile = join(this.folder, 'log', `${spec.name}.log`)
    const program = new Program({ ...spec, argv: this.#joined(spec.argv), logFile, outlives: true })
    writeFileSync(join(this.folder, 'pid', spec.name), `${program.pid}\n`)
    return program
  }

  /** The process id of a program that `start` started, also one of an earlier process. */
  pidOf(program: string): number {
    return Number(readFileSync(join(this.folder, 'pid', program), 'utf8'))
  }

  /** True while the program runs in this group; a process id that was used again does not count. */
  async isRunning(program: string): Promise<boolean> {
    return (await this.processes()).includes(this.pidOf(program))
  }

  /** All processes of the machine, or those below one of its control groups. */
  processes(below = ''): Promise<readonly number[]> {
    return processesIn(this.#cgroups, join(this.name, below))
  }

  /** Sends a signal to a program and waits for its end. */
  async stop(program: string, signal: NodeJS.Signals): Promise<void> {
    if (!(await this.isRunning(program))) return
    process.kill(this.pidOf(program), signal)
    await until(`${program} of ${this.name} gone`, async () => !(await this.isRunning(program)))
  }

  /** Joins the group before anything else, so that whatever the program starts is found again. */
  #joined(argv: readonly string[]): string[] {
    const file = join(this.#cgroups.tracking, this.name, daemonsFolder, 'cgroup.procs')
    return ['sh', '-c', 'echo $$ >"$0" && exec "$@"', file, ...argv]
  }
}
