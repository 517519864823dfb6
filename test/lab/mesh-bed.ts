import { existsSync, writeFileSync } from 'node:fs'
import type { Program } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { outsideName } from './dns.ts'
import { askAgent } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import { mesh } from './mesh.ts'
import type { LabNode } from './node.ts'
import { ask } from './objects.ts'

/** The document of `nopal wg --output json`, as far as tests read it. */
export interface WgDocument {
  readonly node: string
  readonly devices: readonly WgDevice[]
}

export interface WgDevice {
  readonly name: string
  readonly readable: boolean
  readonly peers: readonly WgPeer[]
}

export interface WgPeer {
  readonly publicKey: string
  readonly node: string | null
  readonly endpoint: string | null
  readonly class: string
  readonly handshakeAge: number | null
  readonly missingAllowedIPs: readonly string[]
}

/** A NodeNetwork, as far as tests read it. */
export interface NetworkObject {
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly { readonly kind: string }[] }
  readonly spec: {
    readonly devices: readonly { readonly name: string; readonly publicKey: string; readonly listenPort: number }[]
    readonly endpoint?: string
    readonly podCIDRs: readonly string[]
  }
  readonly status?: {
    readonly verdict: string
    readonly reason: string
    readonly peers: Readonly<Record<string, number>>
    readonly missingAllowedIPs: readonly string[]
    readonly observedTime: string
  }
}

/** Settings of agents that look at hosts alone, quick to verify again. */
export function guardSettings(lines: string): string {
  return `[verify]
dns-domains = kubernetes.default.svc.cluster.local, ${outsideName.name}
check-timeout = 2s
interval = 1s
from = host
[wireguard]
${lines}
`
}

/** What a stand-in for netclient remembers, and how often it sees to it. */
interface Netclient {
  readonly endpoint: string
  readonly everySeconds: number
  readonly forgets?: boolean
}

const netclientScript = `#!/bin/sh
endpoint=$3
if [ "$5" = never ]; then trap : HUP; else trap endpoint= HUP; fi
while :; do
  if [ "$endpoint" ]; then wg set "$1" peer "$2" endpoint "$endpoint"; echo put; else echo forgotten; fi
  sleep "$4" & wait
done
`

/** A mesh of nodes that keep their sessions alive, with an agent on each. */
export class GuardedMesh {
  readonly lab: Lab
  readonly #keys = new Map<string, string>()
  readonly #agents: Program[] = []

  private constructor(lab: Lab) {
    this.lab = lab
  }

  static async start(nodes: number, settings: string): Promise<GuardedMesh> {
    const bed = new GuardedMesh(await startLab({ nodes }))
    try {
      await bed.#begin(settings)
      return bed
    } catch (error) {
      await bed.lab.stop()
      throw error
    }
  }

  async #begin(settings: string): Promise<void> {
    const { nodes } = this.lab
    for (const node of nodes) {
      await node.run(['sh', '-c', 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done'])
      this.#keys.set(node.name, (await node.run(['wg', 'show', mesh.device, 'public-key'])).trim())
    }
    for (const node of nodes) for (const other of nodes) if (other !== node) await this.keepAlive(node, other, 1)
    for (const node of nodes) this.#agents.push(await this.lab.startAgent(node, { settings }))
    for (const node of nodes) await this.untilClasses(node, { expected: nodes.length - 1 })
  }

  node(number: number): LabNode {
    return this.lab.node(number)
  }

  agent(number: number): Program {
    const agent = this.#agents[number - 1]
    if (agent === undefined) throw new Error(`no agent ${number}`)
    return agent
  }

  /** Ends a node's agent and starts it again, with other settings. */
  async restartAgent(number: number, signal: NodeJS.Signals, settings: string): Promise<Program> {
    await this.agent(number).stop(signal)
    const agent = await this.lab.startAgent(this.node(number), { settings })
    this.#agents[number - 1] = agent
    return agent
  }

  /**
   * Starts a stand-in for netclient: at once and then every so many seconds it sets an endpoint that it remembers, until
   * SIGHUP makes it forget, unless it is one that does not.
   */
  startNetclient(node: LabNode, other: LabNode, { endpoint, everySeconds, forgets = true }: Netclient): Program {
    // A script's process has the name of its file.
    const file = '/run/netclient'
    writeFileSync(node.path(file), netclientScript, { mode: 0o755 })
    const words = [mesh.device, this.keyOf(other), endpoint, String(everySeconds), forgets ? '' : 'never']
    return node.start({ name: 'netclient', argv: [file, ...words] })
  }

  keyOf(node: LabNode): string {
    const key = this.#keys.get(node.name)
    if (key === undefined) throw new Error(`${node.name} has no key`)
    return key
  }

  async keepAlive(node: LabNode, other: LabNode, seconds: number): Promise<void> {
    await this.#set(node, other, ['persistent-keepalive', String(seconds)])
  }

  async setEndpoint(node: LabNode, other: LabNode, endpoint: string): Promise<void> {
    await this.#set(node, other, ['endpoint', endpoint])
  }

  async #set(node: LabNode, other: LabNode, words: readonly string[]): Promise<void> {
    await node.run(['wg', 'set', mesh.device, 'peer', this.keyOf(other), ...words])
  }

  /**
   * Has a node's device send from another address, as a node does whose routes or rules pick one of its pods' network.
   * @returns ends it
   */
  async sendFrom(node: LabNode, address: string): Promise<() => Promise<unknown>> {
    const rule = `udp sport ${mesh.port} ip saddr set ${address}`
    await node.run(['nft', `table ip posing { chain out { type filter hook postrouting priority 0; ${rule}; }; }`])
    return () => node.run(['nft', 'delete', 'table', 'ip', 'posing'])
  }

  /** A second tunnel from one node to another, which can carry the first. */
  async addTunnel(node: LabNode, to: LabNode): Promise<void> {
    const device = 'wg-outer'
    const ends = [node, to]
    const keys = await Promise.all(ends.map(end => end.run(['wg', 'genkey'])))
    for (const [index, end] of ends.entries()) {
      const own = keys[index] ?? ''
      const other = (await end.run(['wg', 'pubkey'], { input: keys[1 - index] ?? '' })).trim()
      end.start({
        name: 'outer',
        argv: ['wireguard-go', '--foreground', device],
        env: { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' },
      })
      // The link is there before its daemon answers.
      await until('the second tunnel', () => existsSync(end.path(`/run/wireguard/${device}.sock`)))
      const [peer = node] = ends.filter(each => each !== end)
      const endpoint = `${peer.plan.publicAddress}:51999`
      const words = ['listen-port', '51999', 'private-key', '/dev/stdin', 'peer', other, 'endpoint', endpoint]
      const command = `cat | wg set ${device} ${[...words, 'allowed-ips', '0.0.0.0/0'].join(' ')}`
      await end.run(['sh', '-c', command], { input: own })
      await end.run(['ip', 'link', 'set', device, 'up'])
    }
  }

  async endpointOf(node: LabNode, other: LabNode): Promise<string | undefined> {
    const lines = (await node.run(['wg', 'show', mesh.device, 'endpoints'])).trim().split('\n')
    return lines.map(line => line.split('\t')).find(([key]) => key === this.keyOf(other))?.[1]
  }

  /** What is sent and received by a node for a peer. */
  async transfer(node: LabNode, other: LabNode): Promise<{ readonly rx: number; readonly tx: number }> {
    const lines = (await node.run(['wg', 'show', mesh.device, 'transfer'])).trim().split('\n')
    const [, rx, tx] = lines.map(line => line.split('\t')).find(([key]) => key === this.keyOf(other)) ?? []
    return { rx: Number(rx), tx: Number(tx) }
  }

  /** `nopal wg` on a node. */
  async wg(node: LabNode): Promise<{ readonly document: WgDocument; readonly code: number }> {
    const { stdout, stderr, code } = await this.lab.run.exec([node.nopalScript, 'wg', '--output', 'json'])
    if (stdout === '') throw new Error(`nopal wg ended with ${code}: ${stderr}`)
    return { document: JSON.parse(stdout) as WgDocument, code }
  }

  /** Waits until the classes of a node's peers are these. */
  async untilClasses(node: LabNode, wanted: Readonly<Record<string, number>>, limitMs = 20_000): Promise<void> {
    const wish = JSON.stringify(wanted)
    await until(`peers of ${node.name} to be ${wish}`, async () => JSON.stringify(await this.classes(node)) === wish, {
      limitMs,
    })
  }

  /** The classes of the peers that there are, as the agent's metrics tell them. */
  async classes(node: LabNode): Promise<Readonly<Record<string, number>>> {
    const text = await this.metrics(node)
    const found = text.matchAll(/^nopal_wireguard_peers\{device="[^"]*",class="(\w+)"\} (\d+)$/gm)
    const counts = new Map<string, number>()
    for (const [, name = '', count] of found) counts.set(name, (counts.get(name) ?? 0) + Number(count))
    return Object.fromEntries([...counts].filter(([, count]) => count > 0).sort())
  }

  async metrics(node: LabNode): Promise<string> {
    return (await askAgent(node, '/metrics')).text
  }

  /** One series of an agent's metrics; 0 where there is none. */
  async metric(node: LabNode, series: string): Promise<number> {
    const line = (await this.metrics(node)).split('\n').find(each => each.startsWith(`${series} `))
    return Number(line?.slice(series.length + 1) ?? 0)
  }

  async network(name: string): Promise<NetworkObject> {
    return (await ask(this.lab.api, {
      method: 'GET',
      path: `/apis/nopal.io/v1alpha1/nodenetworks/${name}`,
    })) as NetworkObject
  }

  /** Reasons of the Events about a node, in the order they came. */
  async events(node: LabNode): Promise<readonly string[]> {
    const path = '/apis/events.k8s.io/v1/namespaces/default/events'
    const { items } = (await ask(this.lab.api, { method: 'GET', path })) as {
      items: readonly { reason: string; eventTime: string; regarding: { name: string } }[]
    }
    const own = items.filter(({ regarding }) => regarding.name === node.name)
    return own.sort((one, other) => (one.eventTime < other.eventTime ? -1 : 1)).map(({ reason }) => reason)
  }

  async stop(): Promise<void> {
    await this.lab.stop()
  }
}
