import { CommandFailed, type CommandOptions, inNetwork, type Output } from '../machine/command.ts'
import type { LabNode } from './node.ts'
import { createPod, deletePod, type ObjectApi } from './objects.ts'
import { attach, type CniResult, detach, makeSandbox, removeSandbox, type Sandbox } from './runtime.ts'

export interface PodOptions {
  readonly name: string
  readonly namespace?: string
  /** The annotation `networks`: its text, or names to put into one. */
  readonly networks?: string | readonly string[]
}

/** An address of one of a pod's interfaces. */
export interface PodInterface {
  readonly name: string
  readonly mtu: number
  readonly addresses: readonly string[]
}

/** A pod: its object in the API, and its network namespace attached through the node's CNI chain. No container runs. */
export class LabPod {
  readonly node: LabNode
  readonly sandbox: Sandbox
  readonly result: CniResult
  readonly #api: ObjectApi

  private constructor(api: ObjectApi, node: LabNode, sandbox: Sandbox, result: CniResult) {
    this.#api = api
    this.node = node
    this.sandbox = sandbox
    this.result = result
  }

  /**
   * Starts a pod as kubelet and its runtime do: the object is there first, then the sandbox, then ADD. When ADD
   * fails, DEL follows and the sandbox goes, and the error is the one of ADD.
   */
  static async start(api: ObjectApi, node: LabNode, options: PodOptions): Promise<LabPod> {
    const { name, namespace = 'default' } = options
    const uid = await createPod(api, { namespace, name, node: node.name, networks: annotationOf(options.networks) })
    const sandbox = await makeSandbox(node, { namespace, name, uid })
    try {
      return new LabPod(api, node, sandbox, await attach(node, sandbox))
    } catch (error) {
      await detach(node, sandbox).catch(() => {})
      await removeSandbox(node, sandbox)
      await deletePod(api, sandbox.pod)
      throw error
    }
  }

  get name(): string {
    return this.sandbox.pod.name
  }

  /** For people: what to put before a program to run it in this pod's network. */
  get enterCommand(): string {
    return `${this.node.enterScript} nsenter --net=${this.sandbox.netns}`
  }

  /** Runs a program in the pod's network, with the node's files. */
  async exec(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
    return await this.node.exec(inNetwork(this.sandbox.netns, argv), options)
  }

  /**
   * Runs a program that must succeed and returns what it printed.
   * @throws CommandFailed
   */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const output = await this.exec(argv, options)
    if (output.code !== 0) throw new CommandFailed([`${this.name}:`, ...argv], output)
    return output.stdout
  }

  /** What the kernel says the pod has, loopback aside. */
  async interfaces(): Promise<readonly PodInterface[]> {
    const links = JSON.parse(await this.run(['ip', '-json', 'addr'])) as readonly KernelLink[]
    return links.filter(link => link.ifname !== 'lo').map(toInterface)
  }

  /** The first IPv4 address of one interface. */
  async address(name: string): Promise<string> {
    const found = (await this.interfaces()).find(link => link.name === name)?.addresses[0]
    if (found === undefined) throw new Error(`pod ${this.name} has no address on ${name}`)
    return found
  }

  /** DEL alone: the namespace and the object stay. */
  async detach(): Promise<void> {
    await detach(this.node, this.sandbox)
  }

  /** Ends the pod: DEL, then the namespace, then the object. */
  async stop(): Promise<void> {
    await this.detach()
    await removeSandbox(this.node, this.sandbox)
    await deletePod(this.#api, this.sandbox.pod)
  }
}

interface KernelLink {
  readonly ifname: string
  readonly mtu: number
  readonly addr_info?: readonly { readonly family: string; readonly local: string }[]
}

function toInterface(link: KernelLink): PodInterface {
  const addresses = (link.addr_info ?? []).filter(({ family }) => family === 'inet').map(({ local }) => local)
  return { name: link.ifname, mtu: link.mtu, addresses }
}

function annotationOf(networks: PodOptions['networks']): string | undefined {
  if (networks === undefined || typeof networks === 'string') return networks
  return JSON.stringify(networks.map(name => ({ name })))
}
