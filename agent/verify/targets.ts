import { isIPv6 } from 'node:net'

/** IP family of an address. */
export type Family = 4 | 6

/** The family of an address that is known to be one. */
function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4
}

/** Addresses by family, the family of the first address first. */
export function groupByFamily(addresses: readonly string[]): readonly (readonly string[])[] {
  const families = [...new Set(addresses.map(familyOf))]
  return families.map(family => addresses.filter(address => familyOf(address) === family))
}
