import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiTarget } from '../../cluster/api-client.ts'
import { findKubeAssets } from '../../cluster/assets.ts'
import { readTarget } from '../../cluster/pki.ts'
import type { Machine } from '../../machine/machine.ts'
import { joinMembers, type MeshMember, startMember } from '../../machine/mesh.ts'
import { connectMachines } from '../../machine/segment.ts'
import { until } from '../../machine/wait.ts'
import { getObject, type KubeObject } from './api.ts'
import { startApi, startControllers, startForwarder } from './control-plane.ts'
import { applyClusterDns, dnsDeployment, startInternetDns } from './dns.ts'
import { findImages } from './images.ts'
import { type ClusterKeys, makeKeys, writeAdminKubeconfig } from './keys.ts'
import { ClusterMachine } from './machine.ts'
import { startContainerd, startKubelet, startNodeMachine, writeCniConfig } from './node.ts'
import { cniConfig } from './node-config.ts'
import { type ClusterPlan, mesh, type NodePlan, net, nodePlans } from './plan.ts'
import type { Say } from './progress.ts'

/** Programs and images, all in the cache. */
export interface Parts {
  readonly programs: string
  readonly coredns: string
  readonly archives: readonly string[]
}

const kubePrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
]

/** Finds or builds all that a cluster is made of; minutes the first time. */
export async function findParts(cache: string): Promise<Parts> {
  const programs = await findKubeAssets(kubePrograms)
  const coredns = join(await findKubeAssets(['coredns']), 'coredns')
  return { programs, coredns, archives: await findImages(cache, coredns) }
}

interface NodeMachine {
  readonly plan: NodePlan
  readonly machine: ClusterMachine
}

/** Starts the cluster and waits until both nodes are ready and DNS answers. */
export async function startCluster(cluster: ClusterPlan, parts: Parts, say: Say): Promise<void> {
  await mkdir(cluster.folder, { recursive: true, mode: 0o755 })
  const [keys, { controlPlane, nodes }] = await Promise.all([
    makeKeys(join(cluster.folder, 'keys')),
    startMachines(cluster),
  ])
  say('three machines and their internet')
  const [admin, members] = await Promise.all([
    startControlPlane(cluster, { machine: controlPlane, parts, keys }, say),
    startMesh(nodes, say),
    startRuntimes(nodes, parts, say),
  ])
  await Promise.all([
    ...nodes.map(({ plan, machine }) => startKubelet(machine, plan, keys, parts.programs)),
    applyClusterDns(admin),
  ])
  say('kubelet and kube-proxy started')
  await connectPods(admin, members)
  say('pod networks carried by the mesh')
  await Promise.all(nodes.map(({ plan }) => waitForNode(admin, plan.name)))
  say('both nodes ready')
  await waitForDns(admin)
  say('cluster DNS ready')
}

async function startMachines(cluster: ClusterPlan) {
  const startNode = async (plan: NodePlan): Promise<NodeMachine> => ({
    plan,
    machine: await startNodeMachine(plan, cluster),
  })
  const [hub, controlPlane, ...nodes] = await Promise.all([
    ClusterMachine.start(cluster, 'hub'),
    ClusterMachine.start(cluster, 'cp'),
    ...nodePlans.map(startNode),
  ])
  await connectMachines(hub, net.gateway, [
    { machine: controlPlane, label: 'cp', address: net.controlPlane },
    ...nodes.map(({ machine, plan }) => ({ machine, label: plan.name, address: plan.address })),
  ])
  return { controlPlane, nodes }
}

interface ControlPlaneParts {
  readonly machine: Machine
  readonly parts: Parts
  readonly keys: ClusterKeys
}

async function startControlPlane(
  cluster: ClusterPlan,
  { machine, parts, keys }: ControlPlaneParts,
  say: Say,
): Promise<ApiTarget> {
  await startInternetDns(machine, parts.coredns)
  const url = `https://127.0.0.1:${await startForwarder(machine)}`
  await writeAdminKubeconfig(keys.pki, cluster.kubeconfig, url)
  const admin = await readTarget(keys.pki, url, undefined)
  const context = { machine, programs: parts.programs, keys }
  await startApi(context, admin)
  say('API server ready')
  startControllers(context)
  return admin
}

async function startMesh(nodes: readonly NodeMachine[], say: Say): Promise<readonly MeshMember[]> {
  const members = await Promise.all(nodes.map(({ plan, machine }) => startMember(mesh, { ...plan, machine })))
  say('WireGuard devices up')
  return members
}

async function startRuntimes(nodes: readonly NodeMachine[], parts: Parts, say: Say): Promise<void> {
  await Promise.all(nodes.map(({ machine }) => startContainerd(machine, parts.archives)))
  say('containerd ready, images imported')
}

/** As a mesh's controller would: reads the addresses each node got for its pods, and leads them there. */
async function connectPods(admin: ApiTarget, members: readonly MeshMember[]): Promise<void> {
  const reachable = members.map(async member => ({
    ...member,
    podCidr: await waitForPodCidr(admin, member.machine.hostName),
  }))
  const all = await Promise.all(reachable)
  await joinMembers(mesh, all, 25)
  await Promise.all(all.map(({ machine, podCidr }) => writeCniConfig(machine, cniConfig(podCidr))))
}

function waitForPodCidr(admin: ApiTarget, node: string): Promise<string> {
  return until(
    `pod addresses of ${node}`,
    async () => {
      const object = await getObject(admin, `/api/v1/nodes/${node}`)
      const cidr = object?.spec?.podCIDR
      return typeof cidr === 'string' ? cidr : undefined
    },
    { limitMs: 60_000, despiteErrors: true },
  )
}

interface Conditions {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

function waitForNode(admin: ApiTarget, node: string): Promise<boolean> {
  return until(`node ${node} ready`, () => hasCondition(admin, `/api/v1/nodes/${node}`, 'Ready'), {
    limitMs: 60_000,
    despiteErrors: true,
  })
}

function waitForDns(admin: ApiTarget): Promise<boolean> {
  return until('cluster DNS ready', () => hasCondition(admin, dnsDeployment, 'Available'), {
    limitMs: 60_000,
    despiteErrors: true,
  })
}

async function hasCondition(admin: ApiTarget, path: string, type: string): Promise<boolean> {
  const object = await getObject<KubeObject & Conditions>(admin, path)
  const condition = object?.status?.conditions?.find(row => row.type === type)
  return condition?.status === 'True'
}
