import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFailed, type CommandOptions, type Output } from '../machine/command.ts'
import { inside } from '../machine/machine.ts'
import type { LabChild } from './child.ts'
import { namespaceFolder } from './namespaces.ts'
import type { LabRun } from './run.ts'

/** What one node is called and which addresses it has. */
export interface NodePlan {
  readonly name: string
  readonly number: number
  readonly namespace: string
  /** On the lab's internet. */
  readonly publicAddress: string
  readonly meshAddress: string
  readonly podCidr: string
}

/** The folders a node has to itself; everything else it shares with this machine. */
const ownFolders = ['/run', '/etc/cni', '/etc/nopal', '/opt/cni', '/var/lib/cni']

/** What Debian's package `containernetworking-plugins` brings and pods of the lab use. */
const pluginNames = ['bridge', 'host-local', 'loopback', 'macvlan', 'portmap', 'ptp', 'static', 'tuning']
const debianPlugins = '/usr/lib/cni'

/**
 * Runs inside the node's new mount namespace: gives it its own folders, then holds the namespace until stdin ends.
 * The overlays exist so that folders missing on this machine (/etc/cni, ...) can be mounted over without making them here.
 */
const holderScript = `set -eu
root=$1; name=$2; shift 2
mount -t tmpfs -o mode=0755 nopal-lab "$root/layers"
for folder in etc opt var/lib; do
  layer=$root/layers/\${folder%%/*}
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=/$folder,upperdir=$layer/upper,workdir=$layer/work" nopal-lab "/$folder"
done
rm -f /etc/resolv.conf
cat "$root/resolv.conf" >/etc/resolv.conf
for folder; do
  mkdir -p "$folder"
  mount --bind "$root$folder" "$folder"
done
echo "$name" >/proc/sys/kernel/hostname
echo 1 >/proc/sys/net/ipv4/ip_forward
echo held
exec cat >/dev/null
`

/** A machine of the lab: network, mounts and host name of its own, held by one process. */
export class LabNode {
  readonly plan: NodePlan
  readonly #run: LabRun
  readonly #holder: LabChild

  private constructor(run: LabRun, plan: NodePlan, holder: LabChild) {
    this.#run = run
    this.plan = plan
    this.#holder = holder
  }

  /** Makes a node in the network namespace of its plan. */
  static async start(run: LabRun, plan: NodePlan, nameServer: string): Promise<LabNode> {
    const root = join(run.folder, plan.name)
    for (const folder of ['/layers', ...ownFolders]) mkdirSync(join(root, folder), { recursive: true, mode: 0o755 })
    writeFileSync(join(root, 'resolv.conf'), resolvConf(nameServer))
    copyPlugins(join(root, 'opt/cni/bin'))
    const enter = ['nsenter', `--net=${join(namespaceFolder, plan.namespace)}`]
    const unshare = ['unshare', '--mount', '--uts', '--propagation', 'private']
    const script = ['sh', '-c', holderScript, 'holder', root, plan.name, ...ownFolders]
    const holder = run.start(`${plan.name}-holder`, [...enter, ...unshare, ...script])
    await holder.waitForLog(/^held$/m)
    const node = new LabNode(run, plan, holder)
    writeFileSync(join(root, 'enter'), `#!/bin/sh\nexec ${node.inside(['"$@"']).join(' ')}\n`, { mode: 0o755 })
    return node
  }

  get name(): string {
    return this.plan.name
  }

  /** Where a file below one of the node's own folders is on this machine. */
  path(file: string): string {
    if (!ownFolders.some(folder => file === folder || file.startsWith(`${folder}/`))) {
      throw new Error(`${file} is not in a folder of the node's own`)
    }
    return join(this.#run.folder, this.name, file)
  }

  /** A program for people: runs its arguments on the node. */
  get enterScript(): string {
    return join(this.#run.folder, this.name, 'enter')
  }

  /** A program for people: `nopal` with the settings of this node's agent; there once an agent was started. */
  get nopalScript(): string {
    return join(this.#run.folder, this.name, 'nopal')
  }

  /** argv that runs a program on this node. */
  inside(argv: readonly string[]): string[] {
    return inside(this.#holder.pid, argv)
  }

  /** Runs a program on the node to its end, whatever its exit code. */
  async exec(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
    if (!this.#holder.running) throw new Error(`node ${this.name} is down`)
    return await this.#run.run(this.inside(argv), options)
  }

  /**
   * Runs a program that must succeed and returns what it printed.
   * @throws CommandFailed
   */
  async must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const output = await this.exec(argv, options)
    if (output.code !== 0) throw new CommandFailed([`${this.name}:`, ...argv], output)
    return output.stdout
  }

  /** Starts a program on the node that runs until stopped; log name `<node>-<name>`. */
  start(name: string, argv: readonly string[], env?: Readonly<Record<string, string>>): LabChild {
    return this.#run.start(`${this.name}-${name}`, this.inside(argv), env)
  }

  /** Ends the holder: the node's mounts and host name go with it. */
  async stop(): Promise<void> {
    await this.#holder.stop('SIGKILL')
  }
}

function resolvConf(nameServer: string): string {
  return `nameserver ${nameServer}\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n`
}

function copyPlugins(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of pluginNames) {
    const source = join(debianPlugins, name)
    if (!existsSync(source))
      throw new Error(`${source} is missing: scripts/setup.sh installs containernetworking-plugins`)
    cpSync(source, join(folder, name))
  }
}
