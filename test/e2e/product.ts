import { join } from 'node:path'
import { callerEnv, runCommand } from '../machine/command.ts'
import type { Machine } from '../machine/machine.ts'
import { images } from './cluster/images.ts'
import { importImages } from './cluster/node.ts'
import { listPods, type Pod } from './objects.ts'
import type { TestCluster } from './test-cluster.ts'

const root = join(import.meta.dirname, '../..')

/** Where the product's manifests are. */
export const manifestFolder = join(root, 'daemonset')

/** The image that the examples name. */
const exampleImage = 'docker.io/library/busybox:1.37'

export type ImageArch = 'amd64' | 'arm64'

/** What this machine runs. */
export const ownArch: ImageArch = process.arch === 'arm64' ? 'arm64' : 'amd64'

/** Builds the image as everybody does, and returns the archive's path. */
export async function buildImage(arch = ownArch): Promise<string> {
  await runCommand([join(root, 'scripts/image.sh'), '--arch', arch], {
    // The first one for another CPU fetches 105 MB: some days that takes minutes.
    timeoutMs: 840_000,
    env: callerEnv,
  })
  return join(root, `dist/nopal-image-${arch}.tar`)
}

/** Gives a node nopal's image, and the one of the examples, which no registry can give it here. */
export async function giveImages(machine: Machine, archive: string): Promise<void> {
  await importImages(machine, [archive])
  await machine.run(['ctr', '-n', 'k8s.io', 'images', 'tag', images.busybox, exampleImage])
}

/** The whole install. */
export async function install({ kubectl }: TestCluster): Promise<void> {
  await kubectl(['apply', '-k', manifestFolder])
}

/** The agent's pod on a node, while it is not being deleted. */
export async function agentOn({ admin }: TestCluster, node: string): Promise<Pod | undefined> {
  const agents = await listPods(admin, 'nopal', 'app.kubernetes.io/name=nopal')
  const alive = agents.filter(pod => !('deletionTimestamp' in pod.metadata))
  return alive.find(pod => pod.spec.nodeName === node)
}

/** A pod's first container, as runc started it: a process of the machine we are on. */
export async function pidOf(machine: Machine, pod: Pod | undefined): Promise<number> {
  const id = pod?.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? ''
  const tasks = await machine.run(['ctr', '-n', 'k8s.io', 'tasks', 'ls'])
  const line = tasks.split('\n').find(row => id !== '' && row.startsWith(id))
  const pid = Number(line?.split(/\s+/)[1])
  if (!(pid > 1)) throw new Error(`no process of container ${id}:\n${tasks}`)
  return pid
}

/** Whether kubelet counts a pod as ready. */
export function isReady(pod: Pod | undefined): boolean {
  return pod?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
