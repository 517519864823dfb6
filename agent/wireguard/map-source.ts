import type { NodeNetwork } from '../kube/node-network.ts'
import { createMeshMap, type MeshMap } from './mesh-map.ts'

export interface MapSourceOptions {
  /** Name of this node. */
  readonly self: string
  readonly networks: () => Iterable<NodeNetwork>
  readonly ownAddresses: () => readonly string[]
}

/** The map as it is now; made anew only when something of it has changed. */
export interface MapSource {
  current(): MeshMap
  /** Call when what the nodes publish has changed. */
  change(): void
  setServices(cidrs: readonly string[]): void
}

export function createMapSource({ self, networks, ownAddresses }: MapSourceOptions): MapSource {
  let services: readonly string[] = []
  let made: { readonly map: MeshMap; readonly addresses: string } | undefined
  return {
    current() {
      const own = ownAddresses()
      const addresses = own.join(' ')
      if (made?.addresses !== addresses) {
        const facts = { self, networks: [...networks()], serviceCIDRs: services, ownAddresses: own }
        made = { map: createMeshMap(facts), addresses }
      }
      return made.map
    },
    change() {
      made = undefined
    },
    setServices(cidrs) {
      services = cidrs
      made = undefined
    },
  }
}
