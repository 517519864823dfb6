import { isIPv6 } from 'node:net'

/** IP family of an address. */
export type Family = 4 | 6

/** The family of an address that is known to be one. */
export function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4
}

/** `host:port` as people write it, with brackets where the host is an IPv6 address. */
export function formatHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** Addresses by family, the family of the first address first. */
export function groupByFamily(addresses: readonly string[]): readonly (readonly string[])[] {
  const families = [...new Set(addresses.map(familyOf))]
  return families.map(family => addresses.filter(address => familyOf(address) === family))
}
