import { join } from 'node:path'

/** Addresses of a cluster. Each cluster has an internet of its own, so all use the same ones. */
export const net = {
  /** A range set aside for documentation: nobody's, and no private one, as on rented servers. */
  internetPrefix: 24,
  gateway: '203.0.113.254',
  controlPlane: '203.0.113.10',
  apiPort: 6443,
  podCidr: '10.42.0.0/16',
  serviceCidr: '10.96.0.0/16',
  apiService: '10.96.0.1',
  dnsService: '10.96.0.10',
  clusterDomain: 'cluster.local',
  /** What the internet's own DNS server knows. */
  names: { 'example.com': '203.0.113.80', 'www.example.com': '203.0.113.80' },
} as const

/** The mesh of its nodes. */
export const mesh = { device: 'nm-e2e', port: 51821, mtu: 1420, prefixLength: 24 } as const

export interface NodePlan {
  readonly name: string
  readonly address: string
  readonly meshAddress: string
}

export const nodePlans: readonly NodePlan[] = [1, 2].map(number => ({
  name: `n${number}`,
  address: `203.0.113.${number}`,
  meshAddress: `10.50.0.${number}`,
}))

/** Every machine of a cluster: the switch, the control plane, the nodes. */
export const machineNames: readonly string[] = ['hub', 'cp', ...nodePlans.map(plan => plan.name)]

/** Names on the real machine and folders of the cluster with this id. */
export interface ClusterPlan {
  readonly id: string
  readonly folder: string
  readonly kubeconfig: string
  machineName(machine: string): string
  machineFolder(machine: string): string
}

/** Where clusters are listed; one entry is one cluster, made before anything else of it. */
export const registryFolder = '/run/nopal-cluster'

/** The id of the cluster that people start; tests have random ones. */
export const defaultId = 'main'

/** What the names of all machines of a cluster begin with. */
export function machinePrefix(id: string): string {
  return `nopal-e2e-${id}-`
}

/** @param cache folder below which the cluster keeps its data */
export function planCluster(id: string, cache: string): ClusterPlan {
  if (!/^[a-z0-9]{1,16}$/.test(id)) throw new Error(`a cluster's name is 1 to 16 small letters and digits, not "${id}"`)
  const folder = join(cache, 'clusters', id)
  return {
    id,
    folder,
    kubeconfig: join(folder, 'admin.kubeconfig'),
    machineName: machine => machinePrefix(id) + machine,
    machineFolder: machine => join(folder, machine),
  }
}
