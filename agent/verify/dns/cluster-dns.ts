import { isIP } from 'node:net'
import * as v from 'valibot'
import type { KubeApi } from '../../kube/api.ts'
import type { DnsTransport, NameServer } from '../ports.ts'
import { type Lookup, lookUp } from './lookup.ts'
import type { ResolvConf } from './resolv-conf.ts'

export const dnsPort = 53

/** What is known of the cluster's own DNS. */
export interface ClusterDns {
  /** `cluster.local` in most clusters; undefined = not known. */
  readonly domain: string | undefined
  /** Addresses that pods ask; empty = not known. */
  readonly servers: readonly string[]
}

/** What somebody has said of the DNS of pods, before anything is asked for. */
export type PodDns = () => Promise<ClusterDns>

/** Where the cluster's DNS is looked for. */
export interface ClusterDnsSource {
  readonly conf: ResolvConf
  readonly port: number
  readonly dns: DnsTransport
  /** What the settings or kubelet say; absent = nobody says anything. */
  readonly told?: PodDns | undefined
  /** undefined = no cluster is known. */
  readonly kube: KubeApi | undefined
  /** Address of the API's Service, where it is known: its name carries the cluster's domain. */
  readonly apiAddress: string | undefined
  readonly limitMs: number
}

const nothing: ClusterDns = { domain: undefined, servers: [] }
const namespacePath = '/api/v1/namespaces/kube-system/services'
/** Every installer's DNS carries the label of the first one; the Service's name differs. */
const label = 'k8s-app=kube-dns'
/** Looking for it must not hold the checks up: what is wrong with DNS is theirs to say. */
const mostMs = 1000

const specShape = v.object({
  spec: v.object({ clusterIP: v.optional(v.string()), clusterIPs: v.optional(v.array(v.string()), []) }),
})
const listShape = v.object({ items: v.array(specShape) })

/**
 * Finds the name servers that pods use, and the cluster's domain: the servers that the settings or kubelet name, else those
 * of the cluster's Service. Where the node's own resolver is set up for the cluster it knows both, which
 * costs the API nothing; else the API knows the servers, and they know the domain. Never throws.
 */
export async function findClusterDns(source: ClusterDnsSource, signal: AbortSignal): Promise<ClusterDns> {
  const within = { ...source, limitMs: Math.min(source.limitMs, mostMs) }
  const told = (await source.told?.()) ?? nothing
  const domain = domainOf(source.conf) ?? told.domain
  if (told.servers.length > 0) return withDomain(within, { domain, servers: told.servers }, signal)
  if (domainOf(source.conf) !== undefined && domain !== undefined) {
    const named = await askForServers(within, domain, signal)
    if (named.length > 0) return { domain, servers: named }
  }
  const servers = await readServers(within, signal)
  return servers.length === 0 ? { ...nothing, domain } : withDomain(within, { domain, servers }, signal)
}

/** The servers know the domain, where nobody else does. */
async function withDomain(source: ClusterDnsSource, { domain, servers }: ClusterDns, signal: AbortSignal) {
  return { domain: domain ?? (await askForDomain(source, servers, signal)), servers }
}

/** kubelet writes `svc.` and the cluster's domain into every search path of its own making. */
export function domainOf(conf: Pick<ResolvConf, 'search'>): string | undefined {
  return conf.search.find(each => each.startsWith('svc.'))?.slice('svc.'.length)
}

async function askForServers(source: ClusterDnsSource, domain: string, signal: AbortSignal): Promise<string[]> {
  const name = `kube-dns.kube-system.svc.${domain}`
  const way = source.conf.byTcp ? 'tcp' : 'udp'
  const asked = source.conf.servers.map(server => ask(source, { server, way, name, type: 'A' }, signal))
  return Promise.any(asked).catch(() => [])
}

async function askForDomain(
  source: ClusterDnsSource,
  servers: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = reverseName(source.apiAddress)
  if (name === undefined) return undefined
  const asked = servers.map(server => ask(source, { server, way: 'udp', name, type: 'PTR' }, signal))
  const [found] = await Promise.any(asked).catch(() => [])
  return found === undefined ? undefined : /^kubernetes\.default\.svc\.(.+)$/.exec(found)?.[1]
}

/** The name under which an IPv4 address is looked up backwards. */
export function reverseName(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) !== 4) return undefined
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
}

interface ServerQuestion extends Pick<Lookup, 'way'> {
  readonly server: string
  readonly name: string
  readonly type: 'A' | 'PTR'
}

async function ask(
  { dns, port, limitMs }: ClusterDnsSource,
  { server, way, name, type }: ServerQuestion,
  signal: AbortSignal,
): Promise<string[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const where: NameServer = { address: server, port }
  const found = await lookUp({
    question: { name, type },
    server: where,
    way,
    transport: dns,
    signal: limited,
    retryMs: limitMs / 4,
  })
  return [...found]
}

async function readServers({ kube, limitMs }: ClusterDnsSource, signal: AbortSignal): Promise<string[]> {
  if (kube === undefined) return []
  const how = { method: 'GET', signal, timeoutMs: limitMs } as const
  try {
    return parseServers(await kube.request({ ...how, path: namespacePath, query: { labelSelector: label } }))
  } catch {
    // No such Service, or no right to look: then only resolv.conf's are known.
    return []
  }
}

function parseServers(list: unknown): string[] {
  const parsed = v.safeParse(listShape, list)
  if (!parsed.success) return []
  const all = parsed.output.items.flatMap(({ spec }) => [...spec.clusterIPs, spec.clusterIP ?? ''])
  return [...new Set(all)].filter(address => isIP(address) !== 0)
}
