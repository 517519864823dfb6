import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Machine, startAnchor } from '../machine/machine.ts'
import { copyPlugins, ownFolders } from '../machine/node-files.ts'
import type { LabRun } from './run.ts'

/** What one node is called and which addresses it has. */
export interface NodePlan {
  readonly name: string
  readonly number: number
  /** On the lab's internet. */
  readonly publicAddress: string
  readonly meshAddress: string
  readonly podCidr: string
}

/** The folders a node has to itself beside /run; everything else it shares with this machine. */
const own = ['/etc/cni', '/etc/nopal', '/opt/cni', '/var/lib/cni']

/** What pods of the lab use. */
const pluginNames = ['bridge', 'host-local', 'loopback', 'macvlan', 'portmap', 'ptp', 'static', 'tuning']

/** A machine with plugins of its own, on which agents run. */
export class LabNode extends Machine {
  readonly plan: NodePlan

  private constructor(plan: NodePlan, ...machine: ConstructorParameters<typeof Machine>) {
    super(...machine)
    this.plan = plan
  }

  static async start(run: LabRun, plan: NodePlan, nameServer: string): Promise<LabNode> {
    const host = run.host(plan.name)
    await copyPlugins(host.folder, pluginNames)
    const mounts = ownFolders(host.folder, own) + writeResolvConf(nameServer)
    const node = new LabNode(plan, host, plan.name, await startAnchor(host, plan.name, mounts))
    writeFileSync(node.enterScript, `#!/bin/sh\nexec ${node.inside(['"$@"']).join(' ')}\n`, { mode: 0o755 })
    return node
  }

  get name(): string {
    return this.plan.name
  }

  /** Where a file below one of the node's own folders is on this machine. */
  override path(file: string): string {
    if (!['/run', ...own].some(folder => file === folder || file.startsWith(`${folder}/`))) {
      throw new Error(`${file} is not in a folder of the node's own`)
    }
    return super.path(file)
  }

  /** A program for people: runs its arguments on the node. */
  get enterScript(): string {
    return join(this.folder, 'enter')
  }

  /** A program for people: `nopal` with the settings of this node's agent; there once an agent was started. */
  get nopalScript(): string {
    return join(this.folder, 'nopal')
  }
}

function writeResolvConf(nameServer: string): string {
  return `cat >/etc/resolv.conf <<END
nameserver ${nameServer}
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
END`
}
