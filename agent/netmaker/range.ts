import ipaddr from 'ipaddr.js'

/**
 * A range as the Netmaker server stores it: host bits cut, IPv6 in its short form, mapped IPv4 as IPv4. Undefined for what
 * is none.
 */
export function canonicalRange(text: string): string | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined
  const [address, length] = ipaddr.parseCIDR(text)
  if (address instanceof ipaddr.IPv4) return `${ipaddr.IPv4.networkAddressFromCIDR(text)}/${length}`
  if (!address.isIPv4MappedAddress()) return `${ipaddr.IPv6.networkAddressFromCIDR(text)}/${length}`
  return length < 96 ? undefined : canonicalRange(`${address.toIPv4Address()}/${length - 96}`)
}

/** Whether the address lies in the range. */
export function rangeHolds(range: string, address: string): boolean {
  if (!ipaddr.isValidCIDR(range) || !ipaddr.isValid(address)) return false
  const [network, length] = ipaddr.parseCIDR(range)
  const one = ipaddr.parse(address)
  return one.kind() === network.kind() && one.match(network, length)
}

/** Whether one of the two lies in the other. */
export function rangesOverlap(one: string, other: string): boolean {
  const first = (range: string) => range.replace(/\/.*/, '')
  return rangeHolds(one, first(other)) || rangeHolds(other, first(one))
}
