import type { Test } from 'tap'
import type { ClusterMachine } from './cluster/machine.ts'
import { nodePlans } from './cluster/plan.ts'
import { NodeHistory } from './node-history.ts'
import { listPods } from './objects.ts'
import { giveImages } from './product.ts'
import type { TestCluster } from './test-cluster.ts'

/** One node and its name. */
export interface BedNode {
  readonly name: string
  readonly machine: ClusterMachine
}

/** What the cases of a story share. */
export interface Bed {
  readonly cluster: TestCluster
  /** The node that runs the cluster's DNS server. */
  readonly near: BedNode
  /** The other node: its questions for names cross the mesh. */
  readonly far: BedNode
  readonly nodes: readonly [BedNode, BedNode]
  /** All states of the nodes since before nopal came. */
  readonly history: NodeHistory
}

/** One part of a story. It begins where the one before it has ended. */
export interface Case {
  readonly name: string
  run(t: Test, bed: Bed): Promise<void>
}

/** Gives the nodes the image and finds out which is which. */
export async function prepareBed(cluster: TestCluster, archive: string): Promise<Bed> {
  const all = nodePlans.map(({ name }) => toNode(cluster, name))
  await Promise.all(all.map(({ machine }) => giveImages(machine, archive)))
  const [dns] = await listPods(cluster.admin, 'kube-system', 'k8s-app=kube-dns')
  const near = all.find(node => node.name === dns?.spec.nodeName)
  const far = all.find(node => node !== near)
  if (near === undefined || far === undefined) throw new Error('the DNS server runs on none of the nodes')
  return { cluster, near, far, nodes: [near, far], history: await NodeHistory.open(cluster.admin) }
}

function toNode(cluster: TestCluster, name: string): BedNode {
  const machine = cluster.nodes.get(name)
  if (machine === undefined) throw new Error(`the cluster has no node ${name}`)
  return { name, machine }
}

/** The end of what each agent has said, for whoever looks for the cause of a failure. */
export async function describeAgents({ cluster }: Bed): Promise<string> {
  const logs = ['-n', 'nopal', 'logs', '-l', 'app.kubernetes.io/name=nopal', '--prefix', '--tail=30']
  const pods = ['get', 'pods', '-A', '-o', 'wide']
  const texts = await Promise.all([logs, pods].map(args => cluster.kubectl(args).catch(error => String(error))))
  return texts.join('\n')
}
