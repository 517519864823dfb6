import { networkInterfaces } from 'node:os'

/** Addresses of this node's interfaces that are up. */
export function readOwnAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(all => all?.map(({ address }) => address) ?? [])
}

/** Networks of these interfaces, such as those of WireGuard devices. */
export function readNetworks(interfaces: readonly string[]): readonly string[] {
  const all = networkInterfaces()
  return interfaces.flatMap(name => all[name]?.flatMap(({ cidr }) => cidr ?? []) ?? [])
}
