import { type KubeApi, KubeError } from '../kube/api.ts'
import { listPages } from '../kube/list.ts'
import { type NodeNetwork, nodeNetworksPath, parseNodeNetwork } from '../kube/node-network.ts'
import { readServiceCIDRs } from '../kube/service-cidrs.ts'
import { createMeshMap, type MeshMap } from './mesh-map.ts'
import { readOwnAddresses } from './own-addresses.ts'

/** Whose part in the mesh is asked about. */
export interface MeshPlace {
  /** Name of the node. */
  readonly self: string
  /** Address of the API's own Service, where it is known. */
  readonly apiHost: string | undefined
}

/** The mesh as the API has it now, for a program that looks once. */
export interface ListedMesh {
  readonly map: MeshMap
  /** What the nodes publish, this one included. */
  readonly networks: readonly NodeNetwork[]
  /** This node's own; undefined = it has published nothing. */
  readonly own: NodeNetwork | undefined
}

/**
 * Reads what the nodes publish.
 * @throws KubeError
 */
export async function listMesh(kube: KubeApi, { self, apiHost }: MeshPlace, signal: AbortSignal): Promise<ListedMesh> {
  const [networks, services] = await Promise.all([
    listNetworks(kube, signal),
    // Without them no endpoint is known to be a Service: seldom enough.
    readServiceCIDRs(kube, signal).catch(() => []),
  ])
  const serviceCIDRs = apiHost === undefined ? services : [apiHost, ...services]
  const map = createMeshMap({ self, networks, serviceCIDRs, ownAddresses: readOwnAddresses() })
  return { map, networks, own: networks.find(({ name }) => name === self) }
}

/** A cluster without the definition has no nodes that publish. */
async function listNetworks(kube: KubeApi, signal: AbortSignal): Promise<readonly NodeNetwork[]> {
  const networks: NodeNetwork[] = []
  try {
    const read = ({ body }: { readonly body: unknown }) => parseNodeNetwork(body)
    for await (const page of listPages({ api: kube, path: nodeNetworksPath, signal, read }))
      networks.push(...page.values)
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 'NotFound') throw error
  }
  return networks
}
