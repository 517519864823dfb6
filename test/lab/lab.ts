import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { Machine, startAnchor } from '../machine/machine.ts'
import { joinMembers, startMember } from '../machine/mesh.ts'
import type { Program } from '../machine/program.ts'
import { connectMachines } from '../machine/segment.ts'
import { type AgentOptions, startAgent } from './agent.ts'
import { Cleanup } from './cleanup.ts'
import { DnsServer } from './dns.ts'
import { guardRun } from './guard.ts'
import { internet } from './internet.ts'
import { mesh } from './mesh.ts'
import { LabNode, type NodePlan } from './node.ts'
import { createNode } from './objects.ts'
import { LabPod, type PodOptions } from './pods.ts'
import { applyManifests } from './product.ts'
import { LabRun } from './run.ts'
import { apiPort, serveServices, services } from './services.ts'

export interface LabOptions {
  readonly nodes?: number
  /** `embedded` needs nothing that is built, and is there at once. */
  readonly api?: 'embedded' | 'real'
}

/** Nodes `n1`, `n2`, ... with their mesh, and a control plane with API server and name server. */
export interface Lab {
  readonly run: LabRun
  /** The control plane: its API server and name server listen here. */
  readonly control: Machine
  readonly nodes: readonly LabNode[]
  readonly api: ApiServer
  readonly dns: DnsServer
  /** The n-th node, from 1. */
  node(number: number): LabNode
  startAgent(node: LabNode, options?: AgentOptions): Promise<Program>
  startPod(node: LabNode, options: PodOptions): Promise<LabPod>
  /** Takes everything down; a second call waits for the first. */
  stop(): Promise<void>
}

/** As many as the internet's address range holds. */
const mostNodes = 240

/** Starts a lab. It ends with `stop`, and also when its process gets a signal or dies. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { nodes = 2, api = 'real' } = options
  if (nodes > mostNodes) throw new Error(`a lab has at most ${mostNodes} nodes`)
  if (process.getuid?.() !== 0) throw new Error('the lab makes network namespaces: it needs root')
  const run = new LabRun()
  const cleanup = new Cleanup()
  const work: { building?: Promise<unknown>; stopping?: Promise<void> } = {}
  const stop = async () => {
    work.stopping ??= takeDown(run, cleanup, work.building).then(release)
    await work.stopping
  }
  const release = guardRun(run.id, stop)
  try {
    // Not before it is guarded: a signal may come at any moment.
    run.begin()
    const building = build(run, { nodes, api }, cleanup)
    work.building = building
    return { ...(await building), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * A lab that is still being built first ends that, or things would be made behind the cleaner's back. A run that could
 * not be taken down stays on the list, for the guard to sweep up.
 */
async function takeDown(run: LabRun, cleanup: Cleanup, building: Promise<unknown> | undefined): Promise<void> {
  cleanup.close()
  await building?.catch(() => {})
  await cleanup.run()
  await run.endChildren()
  run.remove()
}

async function build(run: LabRun, options: Required<LabOptions>, cleanup: Cleanup): Promise<Omit<Lab, 'stop'>> {
  const plans = Array.from({ length: options.nodes }, (_, index) => planNode(index + 1))
  const plain = async (name: string) => new Machine(run.host(name), name, await startAnchor(run.host(name), name))
  const [hub, control, ...nodes] = await Promise.all([
    plain('internet'),
    plain('control'),
    ...plans.map(plan => LabNode.start(run, plan, services.dns)),
  ])
  await connectMachines(hub, internet.gateway, [
    { machine: control, label: 'control', address: internet.controlPlane },
    ...nodes.map(node => ({ machine: node, label: node.name, address: node.plan.publicAddress })),
  ])
  const dns = new DnsServer(control)
  const [api] = await Promise.all([
    startApi(run, { kind: options.api, netns: control.netns }, cleanup),
    dns.start(),
    ...nodes.map(serveServices),
    startMesh(nodes),
  ])
  nodes.forEach(writeDefaultConf)
  await applyManifests(api)
  for (const plan of plans) await createNode(api, plan)
  return {
    run,
    control,
    nodes,
    api,
    dns,
    node: number => nodeNumber(nodes, number),
    async startAgent(node, agentOptions) {
      const agent = await startAgent(api, node, agentOptions)
      cleanup.add(`agent of ${node.name}`, () => agent.stop())
      return agent
    },
    startPod: (node, podOptions) => LabPod.start(api, node, podOptions),
  }
}

function planNode(number: number): NodePlan {
  return {
    name: `n${number}`,
    number,
    publicAddress: internet.nodeAddress(number),
    meshAddress: mesh.address(number),
    podCidr: `10.42.${number}.0/24`,
  }
}

/** Joins the nodes by WireGuard, each to each, and routes their pods' networks over it. */
async function startMesh(nodes: readonly LabNode[]): Promise<void> {
  const start = async (machine: LabNode) => {
    const { publicAddress: address, meshAddress, podCidr } = machine.plan
    return { ...(await startMember(mesh, { machine, address, meshAddress })), podCidr }
  }
  await joinMembers(mesh, await Promise.all(nodes.map(start)))
}

async function startApi(
  run: LabRun,
  { kind, netns }: { readonly kind: 'embedded' | 'real'; readonly netns: string },
  cleanup: Cleanup,
): Promise<ApiServer> {
  const host = internet.controlPlane
  const api = await startApiServer({ kind, run: run.id, netns, host, port: apiPort, serviceCidr: services.cidr })
  run.adoptFolder(api.folder)
  cleanup.add('API server', () => api.stop())
  return api
}

/** The node's default network before nopal: a bridge, its pods' packets sized for the mesh. */
function writeDefaultConf(node: LabNode): void {
  const conf = {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        mtu: mesh.mtu,
        ipam: { type: 'host-local', ranges: [[{ subnet: node.plan.podCidr }]] },
      },
    ],
  }
  const folder = node.path('/etc/cni/net.d')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '10-lab.conflist'), `${JSON.stringify(conf, undefined, 2)}\n`)
}

function nodeNumber(nodes: readonly LabNode[], number: number): LabNode {
  const node = nodes[number - 1]
  if (node === undefined) throw new Error(`this lab has no node ${number}`)
  return node
}
