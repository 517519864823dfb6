import ipaddr from 'ipaddr.js'
import * as v from 'valibot'

/** One public address of a server. */
export interface ServerAddress {
  readonly family: 'ipv4' | 'ipv6'
  /** As Cilium is to have it: `203.0.113.1/32`, `2001:db8::1/128`. */
  readonly block: string
  /** Hetzner's abuse team has taken it off the network. */
  readonly blocked: boolean
}

/** A server of Hetzner Cloud as far as the pool looks at it. */
export interface CloudServer {
  readonly id: number
  readonly name: string
  /** `running`, `off`, `deleting`, ... */
  readonly status: string
  readonly addresses: readonly ServerAddress[]
}

/** One page of `GET /servers`. */
export interface ServerPage {
  readonly servers: readonly CloudServer[]
  /** Undefined = this is the last one. */
  readonly nextPage: number | undefined
  /** How many there are on all pages; undefined = the server does not say. */
  readonly total: number | undefined
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const blocked = v.optional(v.boolean(), false)

/** Where no server's address is: an answer that says so is none. */
const nowhere = new Set(['unspecified', 'loopback', 'multicast', 'broadcast', 'linkLocal'])
const isPlace = (address: ipaddr.IPv4 | ipaddr.IPv6) => !nowhere.has(address.range())

const ipv4Text = v.pipe(
  v.string(),
  v.check(text => ipaddr.IPv4.isValidFourPartDecimal(text) && isPlace(ipaddr.IPv4.parse(text)), 'is no IPv4 address'),
)
const ipv6Text = v.pipe(
  v.string(),
  v.check(text => ipaddr.IPv6.isValidCIDR(text) && isPlace(ipaddr.IPv6.parseCIDR(text)[0]), 'is no IPv6 network'),
)

const serverShape = v.object({
  // The API's numbers end where JSON's do.
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  name: v.string(),
  status: v.string(),
  public_net: v.object({
    ipv4: v.nullable(v.object({ ip: ipv4Text, blocked })),
    ipv6: v.nullable(v.object({ ip: ipv6Text, blocked })),
  }),
})

const pageShape = v.object({
  servers: v.array(serverShape),
  meta: v.object({
    pagination: v.object({ page: count, next_page: v.nullish(count), total_entries: v.nullish(count) }),
  }),
})

/**
 * Reads one page; all of it or nothing, since a server that is left out counts as gone.
 * @returns what is wrong with it, where it is none
 */
export function parseServerPage(body: unknown): ServerPage | string {
  const result = v.safeParse(pageShape, body)
  if (!result.success) {
    const [issue] = result.issues
    return `${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`
  }
  const { servers, meta } = result.output
  const { next_page: next, total_entries: total } = meta.pagination
  return { servers: servers.map(toServer), nextPage: next || undefined, total: total ?? undefined }
}

function toServer({ id, name, status, public_net: net }: v.InferOutput<typeof serverShape>): CloudServer {
  const addresses: ServerAddress[] = []
  if (net.ipv4 !== null) addresses.push({ family: 'ipv4', block: `${net.ipv4.ip}/32`, blocked: net.ipv4.blocked })
  if (net.ipv6 !== null)
    addresses.push({ family: 'ipv6', block: `${hostOf(net.ipv6.ip)}/128`, blocked: net.ipv6.blocked })
  return { id, name, status, addresses }
}

/** The address that a server gives itself: the first of its network. */
function hostOf(network: string): string {
  const bytes = ipaddr.IPv6.networkAddressFromCIDR(network).toByteArray()
  return ipaddr.fromByteArray([...bytes.slice(0, 15), 1]).toString()
}
