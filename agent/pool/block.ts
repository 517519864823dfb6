import ipaddr from 'ipaddr.js'

/** One block of a pool as it stands there: a network, or a first and a last address. What is kept is kept to the letter. */
export interface Block {
  readonly cidr?: string | undefined
  readonly start?: string | undefined
  readonly stop?: string | undefined
}

/** `203.0.113.1/32` for a block that is one address by its cidr, in one spelling for all; undefined for any other. */
export function addressOf({ cidr }: Block): string | undefined {
  if (cidr === undefined || !ipaddr.isValidCIDR(cidr)) return undefined
  const [address, length] = ipaddr.parseCIDR(cidr)
  return length === bitsOf(address) ? `${address}/${length}` : undefined
}

/** An address as a block, in the same spelling; undefined for a text that is none. */
export function blockOfAddress(text: string): string | undefined {
  if (!ipaddr.isValid(text)) return undefined
  const address = ipaddr.parse(text)
  return `${address}/${bitsOf(address)}`
}

/** Whether a block of any form holds the address; two blocks of a pool that overlap stop it. */
export function holds({ cidr, start, stop }: Block, block: string): boolean {
  const [address] = ipaddr.parseCIDR(block)
  // Cilium takes the network where a block has both.
  if (cidr !== undefined && cidr !== '') {
    if (!ipaddr.isValidCIDR(cidr)) return false
    const [network, length] = ipaddr.parseCIDR(cidr)
    return network.kind() === address.kind() && address.match(network, length)
  }
  if (start === undefined || !ipaddr.isValid(start)) return false
  const [first, last] = [ipaddr.parse(start), ipaddr.parse(ipaddr.isValid(stop ?? '') ? (stop ?? '') : start)]
  return first.kind() === address.kind() && !isBefore(address, first) && !isBefore(last, address)
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

function bitsOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128
}

function isBefore(one: Address, other: Address): boolean {
  return Buffer.compare(Buffer.from(one.toByteArray()), Buffer.from(other.toByteArray())) < 0
}
