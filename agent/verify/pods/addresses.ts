import { isIP } from 'node:net'
import type { NodeNetwork } from '../../kube/node-network.ts'

/** One of each family. */
const most = 2

/** Where the nodes' standing sandboxes are, by name of the node. What is no address is not asked for by anybody. */
export function podAddressesOf(networks: Iterable<NodeNetwork>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const { name, spec } of networks) {
    const addresses = spec.podAddresses.filter(address => isIP(address) !== 0)
    if (addresses.length > 0) found.set(name, addresses.slice(0, most))
  }
  return found
}
