import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CgroupMounts, daemonsFolder, makeCgroup, processesIn } from './cgroups.ts'
import { bareEnv, type CommandOptions, runCommand } from './command.ts'
import { waitFor } from './wait.ts'

/** One machine: a network, mount and host name of its own, and a control group that holds all its processes. */
export interface MachineSpec {
  /** Unique on the real machine: the name of its control group. */
  readonly name: string
  readonly hostName: string
  /** Logs and process ids, and what `mountScript` binds. */
  readonly folder: string
  readonly cgroups: CgroupMounts
}

/** A program that runs in a machine until it is stopped; it outlives the one who started it. */
export interface Program {
  readonly name: string
  readonly pid: number
  /** Resolves with the way it ended and its last words; never if somebody else started it. */
  readonly ended: Promise<string>
  readonly process?: ChildProcess
}

export interface ProgramSpec {
  readonly name: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Opens a message channel; the program must be Node. */
  readonly channel?: boolean
}

const anchor = 'anchor'

export class Machine {
  readonly spec: MachineSpec
  readonly #anchorPid: number

  private constructor(spec: MachineSpec, anchorPid: number) {
    this.spec = spec
    this.#anchorPid = anchorPid
  }

  /** Makes the namespaces. They live as long as a process in them: at first a sleeping one, the anchor. */
  static async start(spec: MachineSpec, mountScript = ''): Promise<Machine> {
    for (const part of ['log', 'pid']) await mkdir(join(spec.folder, part), { recursive: true })
    await makeCgroup(spec.cgroups, spec.name)
    const ready = join(spec.folder, 'pid', 'ready')
    const script = `set -e\nhostname ${spec.hostName}\nip link set lo up\n${mountScript}\n: >${ready}\nexec sleep infinity`
    const unshare = ['unshare', '--net', '--mount', '--uts', '--propagation', 'private', 'sh', '-c', script]
    const program = await launch(spec, { name: anchor, argv: unshare })
    const wait = { what: `namespaces of ${spec.name}`, limitMs: 10_000, everyMs: 10, hopeless: [program.ended] }
    await waitFor(wait, () => readFile(ready, 'utf8'))
    return new Machine(spec, program.pid)
  }

  /** Finds a machine that another process started. */
  static async open(spec: MachineSpec): Promise<Machine> {
    return new Machine(spec, await readPid(spec, anchor))
  }

  /** Enters the machine's network by this id: `ip link ... netns PID`. */
  get pid(): number {
    return this.#anchorPid
  }

  /** A path of the machine as seen from outside it. */
  path(inside: string): string {
    return join(`/proc/${this.#anchorPid}/root`, inside)
  }

  /** Runs a program in the machine to its end and returns what it printed. */
  run(argv: readonly string[], options?: CommandOptions): Promise<string> {
    return runCommand(joined(this.spec, this.inside(argv)), options)
  }

  /** Runs lines of shell; the first that fails ends them. */
  shell(script: string, options?: CommandOptions): Promise<string> {
    return this.run(['sh', '-ec', script], options)
  }

  /** Starts a program; what it prints goes to `log/NAME.log`. */
  start(program: ProgramSpec): Promise<Program> {
    return launch(this.spec, { ...program, argv: this.inside(program.argv) })
  }

  /** The process id of a program that `start` started, also one of an earlier process. */
  pidOf(name: string): Promise<number> {
    return readPid(this.spec, name)
  }

  /** True while the program runs in this machine; a process id that was used again does not count. */
  async isRunning(name: string): Promise<boolean> {
    const pid = await this.pidOf(name).catch(() => 0)
    return (await processesIn(this.spec.cgroups, this.spec.name)).includes(pid)
  }

  /** Sends a signal to a program and waits for its end. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!(await this.isRunning(name))) return
    process.kill(await this.pidOf(name), signal)
    await waitFor({ what: `${name} of ${this.spec.name} gone`, limitMs: 20_000 }, async () =>
      (await this.isRunning(name)) ? undefined : true,
    )
  }

  /** argv that runs a program in the machine, but not in its control group. */
  inside(argv: readonly string[]): string[] {
    return inside(this.#anchorPid, argv)
  }
}

/** argv that runs a program in the network, mounts and host name of a process. */
export function inside(pid: number, argv: readonly string[]): string[] {
  return ['nsenter', `--target=${pid}`, '--net', '--mount', '--uts', '--', ...argv]
}

/** Joins the machine's control group before anything else, so that whatever the program starts is found again. */
function joined(spec: MachineSpec, argv: readonly string[]): string[] {
  const file = join(spec.cgroups.tracking, spec.name, daemonsFolder, 'cgroup.procs')
  return ['sh', '-c', 'echo $$ >"$0" && exec "$@"', file, ...argv]
}

async function launch(spec: MachineSpec, program: ProgramSpec): Promise<Program> {
  const logFile = join(spec.folder, 'log', `${program.name}.log`)
  const log = await open(logFile, 'a')
  const [file = '', ...args] = joined(spec, program.argv)
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...bareEnv, ...program.env },
    detached: true,
    stdio: program.channel ? ['ignore', log.fd, log.fd, 'ipc'] : ['ignore', log.fd, log.fd],
  })
  await log.close()
  child.unref()
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(`${program.name} could not start: ${error.message}`))
    child.once('exit', async (code, signal) =>
      resolve(`${program.name} ended with ${signal ?? code}\n${await lastLines(logFile)}`),
    )
  })
  const pid = child.pid ?? 0
  await writeFile(join(spec.folder, 'pid', program.name), `${pid}\n`)
  return { name: program.name, pid, ended, process: child }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-8).join('\n')
}

async function readPid(spec: MachineSpec, program: string): Promise<number> {
  return Number(await readFile(join(spec.folder, 'pid', program), 'utf8'))
}
