import type { Vantage } from '../../verdict/verdict.ts'
import { type ClusterDns, domainOf } from './cluster-dns.ts'
import type { ResolvConf } from './resolv-conf.ts'

/** One name server to ask, and how a resolver that uses it would complete names. */
export interface PlannedServer {
  readonly address: string
  readonly search: readonly string[]
  readonly ndots: number
  /** A resolver passes over a silent server for another one of its own list, not for one of another list. */
  readonly list: 'resolv.conf' | 'cluster'
  /** How it is asked first. */
  readonly way: 'udp' | 'tcp'
  /** Whether it must know the cluster's names. */
  readonly knowsCluster: boolean
}

/** The domain that names are written with when nobody knows better. */
const usualDomain = 'cluster.local'
/** kubelet's; a name with fewer dots goes along the search path first. */
const podNdots = 5

/** How pods ask the servers that kubelet tells them of. */
const ofPods = { ndots: podNdots, list: 'cluster', way: 'udp', knowsCluster: true } as const

/** The place that a plan is for. */
export interface PlanPlace {
  readonly from: Vantage
  /** Whether there is a cluster at all; nobody's resolver knows the names of none. */
  readonly inCluster: boolean
}

/** Says which servers to ask: those of the node's resolver, and those that pods are told of. */
export function planServers(conf: ResolvConf, cluster: ClusterDns, place: PlanPlace): readonly PlannedServer[] {
  const forCluster = domainOf(conf) !== undefined
  const mustKnow = forCluster || (place.inCluster && cluster.servers.length === 0)
  const { search, ndots } = conf
  const own = conf.servers.map(address => ({
    address,
    search,
    ndots,
    list: 'resolv.conf' as const,
    way: conf.byTcp ? ('tcp' as const) : ('udp' as const),
    knowsCluster: mustKnow || cluster.servers.includes(address),
  }))
  const podSearch = forCluster ? search : [...searchOf(cluster.domain ?? usualDomain), ...search]
  const others = cluster.servers
    .filter(address => !conf.servers.includes(address))
    .map(address => ({ ...ofPods, address, search: podSearch }))
  if (place.from === 'host') return [...own, ...others]
  // Pods never see the host's own resolver, least of all one on its loopback.
  const seen =
    forCluster || cluster.servers.length === 0 ? own : own.filter(each => cluster.servers.includes(each.address))
  return [...seen.filter(each => !isLoopback(each.address)), ...others]
}

function searchOf(domain: string): readonly string[] {
  return [`default.svc.${domain}`, `svc.${domain}`, domain]
}

/** The name as this cluster spells it: the usual domain stands for the cluster's own. */
export function inDomain(name: string, { domain }: Pick<ClusterDns, 'domain'>): string {
  if (domain === undefined || domain === usualDomain) return name
  return name.replace(/\.svc\.cluster\.local(\.?)$/, `.svc.${domain}$1`)
}

/** Whether a name is one of the cluster's, written in full. */
export function isClusterName(name: string, { domain = usualDomain }: Pick<ClusterDns, 'domain'>): boolean {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  return bare.endsWith(`.${domain}`) || bare.endsWith('.svc')
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
