import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { bareEnv, inNetwork, runCommand } from '../machine/command.ts'

/**
 * A network namespace that lives as long as a process of its own, which ends with ours: no name, no mount, nothing to
 * sweep up after a kill.
 */
export class HeldNetns {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  static async make(t: Test): Promise<HeldNetns> {
    // `cat` ends when the pipe to us does, and says by its first line that the namespace is there.
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo made && exec cat'], {
      env: bareEnv,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.teardown(() => holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    return new HeldNetns(holder)
  }

  /** Ends it with all that is in it. */
  end(): void {
    this.#holder.kill('SIGKILL')
  }

  /** For CNI_NETNS. */
  get path(): string {
    return `/proc/${this.#holder.pid}/ns/net`
  }

  /** What runs a program in it. */
  get prefix(): readonly string[] {
    return inNetwork(this.path, [])
  }

  /** Runs a program that must succeed in it. */
  run(argv: readonly string[]): Promise<string> {
    return runCommand(inNetwork(this.path, argv))
  }

  /** Names and addresses of its interfaces, loopback aside: `eth0 10.0.0.2/24`. */
  async interfaces(): Promise<readonly string[]> {
    const links = JSON.parse(await this.run(['ip', '-json', 'addr'])) as readonly Link[]
    return links
      .filter(({ ifname }) => ifname !== 'lo')
      .map(({ ifname, addr_info }) => {
        const addresses = addr_info
          .filter(({ family }) => family === 'inet')
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
        return [ifname, ...addresses].join(' ')
      })
      .toSorted()
  }
}

interface Link {
  readonly ifname: string
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[]
}
