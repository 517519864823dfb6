import ipaddr from 'ipaddr.js'
import { formatHostPort } from '../../cni/host/host-port.ts'

/** An IP address as a number; an IPv4 address in IPv6 clothes (`::ffff:10.42.1.7`) is the IPv4 address. */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** A network; its bits beyond the length are zero. */
export interface Prefix extends Address {
  readonly length: number
  /** Canonical: `10.42.1.0/24`, whatever host it was written with. */
  readonly text: string
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
  const { family } = parsed
  const length = family === 4 && address.includes(':') ? Number(digits) - mappedBits : Number(digits)
  if (length < 0 || length > sizes[family]) return undefined
  const bits = mask(parsed, length)
  return { family, bits, length, text: `${toText({ family, bits })}/${length}` }
}

/** Canonical text of an address; undefined = none. */
export function canonicalAddress(text: string): string | undefined {
  return read(text.replace(/%.*$/, ''))?.toString()
}

/** Reads `203.0.113.3:51821` or `[2001:db8::1]:51821`; undefined = no such thing. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, ip6, ip4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const address = canonicalAddress(ip6 ?? ip4 ?? '')
  const port = Number(digits)
  return address === undefined || port > 65_535 ? undefined : { address, port }
}

export function formatSocketAddress({ address, port }: SocketAddress): string {
  return formatHostPort(address, port)
}

/** Whether every address of the inner network is one of the outer. */
export function contains(outer: Prefix, inner: Pick<Prefix, 'family' | 'bits' | 'length'>): boolean {
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
    return this.findAll(address)[0]
  }

  /** The longest network first. */
  findAll(address: Address): readonly T[] {
    const found: { readonly length: number; readonly value: T }[] = []
    for (const [length, values] of this.#byLength[address.family]) {
      const value = values.get(mask(address, length))
      if (value !== undefined) found.push({ length, value })
    }
    return found.sort((one, other) => other.length - one.length).map(({ value }) => value)
  }
}

function mask({ family, bits }: Address, length: number): bigint {
  const rest = BigInt(sizes[family] - length)
  return (bits >> rest) << rest
}

function toBits(bytes: readonly number[]): bigint {
  return bytes.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n)
}

function toText({ family, bits }: Address): string {
  if (family === 6) return new ipaddr.IPv6(toBytes(bits, 16)).toString()
  return toBytes(bits, 4).join('.')
}

function toBytes(bits: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Number((bits >> BigInt((count - 1 - index) * 8)) & 0xffn))
}

/** ipaddr.js also takes `1` and `0x7f.1` for IPv4 addresses. */
function read(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined
}
