import ipaddr from 'ipaddr.js'

/** An IP address as a number; an IPv4 address in IPv6 clothes (`::ffff:10.42.1.7`) is the IPv4 address. */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** A network; its bits beyond the length are zero. */
export interface Prefix extends Address {
  readonly length: number
}

/** An address and a port, as WireGuard has them. */
export interface SocketAddress {
  /** Canonical text. */
  readonly address: string
  readonly port: number
}

const sizes = { 4: 32, 6: 128 } as const
/** The bits before an IPv4 address in IPv6 clothes. */
const mappedBits = 96

/** Reads an address; a zone (`fe80::1%eth0`) is left out. undefined = none. */
export function parseAddress(text: string): Address | undefined {
  const known = read(text.replace(/%.*$/, ''))
  if (known === undefined) return undefined
  return { family: known.kind() === 'ipv4' ? 4 : 6, bits: toBits(known.toByteArray()) }
}

/** Reads `10.42.1.0/24`; bits of the host are ignored. undefined = no network. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const parsed = parseAddress(address)
  if (parsed === undefined) return undefined
  const unmapped = parsed.family === 4 && address.includes(':') ? Number(digits) - mappedBits : Number(digits)
  if (unmapped < 0 || unmapped > sizes[parsed.family]) return undefined
  return { ...parsed, bits: mask(parsed, unmapped), length: unmapped }
}

/** Canonical text of an address; undefined = none. */
export function canonicalAddress(text: string): string | undefined {
  return read(text.replace(/%.*$/, ''))?.toString()
}

/** Canonical text of a network: `10.42.1.3/24` is `10.42.1.0/24`; undefined = none. */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = parsePrefix(text)
  return prefix && `${toText(prefix)}/${prefix.length}`
}

/** Reads `203.0.113.3:51821` or `[2001:db8::1]:51821`; undefined = no such thing. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, ip6, ip4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const address = canonicalAddress(ip6 ?? ip4 ?? '')
  const port = Number(digits)
  return address === undefined || port > 65_535 ? undefined : { address, port }
}

export function formatSocketAddress({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Whether every address of the inner network is one of the outer. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  return outer.family === inner.family && outer.length <= inner.length && mask(inner, outer.length) === outer.bits
}

/** Many networks, each with something that it stands for; the longest that holds an address is found in a few steps. */
export class PrefixTable<T> {
  readonly #byLength = { 4: new Map<number, Map<bigint, T>>(), 6: new Map<number, Map<bigint, T>>() }

  add(prefix: Prefix, value: T): void {
    const lengths = this.#byLength[prefix.family]
    const values = lengths.get(prefix.length) ?? new Map<bigint, T>()
    lengths.set(prefix.length, values.set(prefix.bits, value))
  }

  find(address: Address): T | undefined {
    const lengths = this.#byLength[address.family]
    const [longest] = [...lengths]
      .filter(([length, values]) => values.has(mask(address, length)))
      .sort(([one], [other]) => other - one)
    return longest?.[1].get(mask(address, longest[0]))
  }
}

function mask({ family, bits }: Address, length: number): bigint {
  const rest = BigInt(sizes[family] - length)
  return (bits >> rest) << rest
}

function toBits(bytes: readonly number[]): bigint {
  return BigInt(`0x${bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')}`)
}

function toText({ family, bits }: Address): string {
  const size = sizes[family]
  const bytes = Array.from({ length: size / 8 }, (_, index) => Number((bits >> BigInt(size - 8 - index * 8)) & 0xffn))
  return ipaddr.fromByteArray(bytes).toString()
}

/** ipaddr.js also takes `1` and `0x7f.1` for IPv4 addresses. */
function read(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined
}
