import { CommandFailed, type CommandOptions, type Output } from './command.ts'
import type { Program, ProgramSpec } from './program.ts'

/** Where the programs of one machine are started, so that all of them are found again and none is left. */
export interface Host {
  /** Logs, and whatever belongs to the machine. */
  readonly folder: string
  /** Runs a program to its end, whatever its exit code. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<Output>
  start(program: ProgramSpec): Program
}

/** The process that holds a machine's namespaces: they live as long as one is in them. */
export type Anchor = Pick<Program, 'pid' | 'running'>

/** Makes a network, mounts and a host name, in which `mountScript` has run. */
export async function startAnchor(host: Host, hostName: string, mountScript = ''): Promise<Anchor> {
  const script = `set -e\nhostname ${hostName}\nip link set lo up\n${mountScript}\necho held\nexec sleep infinity`
  const unshare = ['unshare', '--net', '--mount', '--uts', '--propagation', 'private', 'sh', '-c', script]
  const anchor = host.start({ name: 'anchor', argv: unshare })
  await anchor.waitForLog(/^held$/m)
  return anchor
}

/** One machine: a network, mounts and a host name of its own. */
export class Machine {
  readonly hostName: string
  readonly host: Host
  readonly #anchor: Anchor

  constructor(host: Host, hostName: string, anchor: Anchor) {
    this.host = host
    this.hostName = hostName
    this.#anchor = anchor
  }

  get folder(): string {
    return this.host.folder
  }

  /** Enters the machine's network by this id: `ip link ... netns PID`. */
  get pid(): number {
    return this.#anchor.pid
  }

  /** Path of its network namespace. */
  get netns(): string {
    return `/proc/${this.pid}/ns/net`
  }

  /** A path of the machine as seen from outside it. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`
  }

  /** argv that runs a program in the machine, but not by its host. */
  inside(argv: readonly string[]): string[] {
    return ['nsenter', `--target=${this.pid}`, '--net', '--mount', '--uts', '--', ...argv]
  }

  /** Runs a program to its end, whatever its exit code. */
  async exec(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
    if (!this.#anchor.running) throw new Error(`${this.hostName} is down`)
    return await this.host.exec(this.inside(argv), options)
  }

  /**
   * Runs a program that must succeed and returns what it printed.
   * @throws CommandFailed
   */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const output = await this.exec(argv, options)
    if (output.code !== 0) throw new CommandFailed([`${this.hostName}:`, ...argv], output)
    return output.stdout
  }

  /** Runs lines of shell; the first that fails ends them. */
  shell(script: string, options?: CommandOptions): Promise<string> {
    return this.run(['sh', '-ec', script], options)
  }

  /** Starts a program that runs until it is stopped. */
  start(program: ProgramSpec): Program {
    return this.host.start({ ...program, argv: this.inside(program.argv) })
  }
}
