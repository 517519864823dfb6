import { networkInterfaces } from 'node:os'

/** Addresses of this node's interfaces that are up. */
export function readOwnAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(all => all?.map(({ address }) => address) ?? [])
}
