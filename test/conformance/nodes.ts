import { copyFile, readFile, rename } from 'node:fs/promises'
import { getObject, type KubeObject } from '../e2e/cluster/api.ts'
import { ClusterMachine } from '../e2e/cluster/machine.ts'
import { nodeConf, writeCniConfig } from '../e2e/cluster/node.ts'
import { nodePlans } from '../e2e/cluster/plan.ts'
import type { TestCluster } from '../e2e/test-cluster.ts'
import type { Machine } from '../machine/machine.ts'

/** The last plugin of the nodes' default network: ports of the host lead to pods. */
const portmap = { type: 'portmap', capabilities: { portMappings: true }, backend: 'nftables', snat: true }

/**
 * Gives the cluster what the specs ask of any cluster beside a network for pods: ports of the host, and a control plane that
 * reaches pods.
 * @param program path of portmap: Debian's knows no nftables
 */
export async function completeCluster(cluster: TestCluster, program: string): Promise<void> {
  await Promise.all([...cluster.nodes.values()].map(machine => addHostPorts(machine, program)))
  await routeToPods(cluster)
}

async function addHostPorts(machine: Machine, program: string): Promise<void> {
  const path = machine.path('/opt/cni/bin/portmap')
  await copyFile(program, `${path}.new`)
  await rename(`${path}.new`, path)
  const conf = JSON.parse(await readFile(machine.path(nodeConf), 'utf8')) as { readonly plugins: readonly object[] }
  await writeCniConfig(machine, { ...conf, plugins: [...conf.plugins, portmap] })
}

async function routeToPods({ admin, plan }: TestCluster): Promise<void> {
  const controlPlane = ClusterMachine.open(plan, 'cp')
  for (const { name, address } of nodePlans) {
    const node = await getObject<KubeObject>(admin, `/api/v1/nodes/${name}`)
    await controlPlane.run(['ip', 'route', 'add', String(node?.spec?.podCIDR), 'via', address])
  }
}
