import { readFile } from 'node:fs/promises'
import type { Endpoint, VerifySettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { Vantage } from '../verdict/verdict.ts'
import { createApiCheck } from './api-check.ts'
import { type ApiPlace, createApiPathCheck, type TlsHandshake } from './api-path-check.ts'
import type { Check, Probe } from './check.ts'
import { dialTcp, resolveHost } from './dial.ts'
import { createDnsCheck } from './dns/check.ts'
import { type ClusterDns, findClusterDns, type PodDns } from './dns/cluster-dns.ts'
import type { ResolvConf } from './dns/resolv-conf.ts'
import { socketDns } from './dns/transport.ts'
import { type KubernetesService, readKubernetesService } from './kubernetes-service.ts'
import { createMtuCheck, createPeersCheck } from './peers/check.ts'
import { createPodsCheck } from './pods/check.ts'
import { podPort } from './pods/pod-port.ts'
import type { CheckPorts } from './ports.ts'
import { createServicesCheck } from './services-check.ts'
import { createTcpCheck } from './tcp-check.ts'
import { createWireguardChecks, type WireguardSource } from './wireguard-check.ts'

/** What of the settings the checks depend on. */
export type CheckSettings = Pick<VerifySettings, 'dnsDomains' | 'checkTimeoutMs' | 'tcp' | 'ipFamilies' | 'podPath'>

/** What the checks of one vantage are made from. */
export interface CheckOptions {
  readonly from: Vantage
  /** Name of this node. */
  readonly node: string
  readonly settings: CheckSettings
  readonly apiService: Endpoint | undefined
  readonly ports: CheckPorts
  /** Where the API is for a place that does not log in. */
  readonly apiPlace?: ApiPlace | undefined
  /** Tries the way to the API from a place that does. */
  readonly handshake?: TlsHandshake | undefined
  /** Address of the own node's agent, seen from a sandbox. */
  readonly host?: string | undefined
  /** Known already where another vantage has looked. */
  readonly clusterDns?: ClusterDns
  /** What the settings or kubelet say of it. */
  readonly podDns?: PodDns | undefined
  /** Absent = nobody looks at WireGuard, and nothing is said of it. */
  readonly wireguard?: WireguardSource | undefined
}

/** All checks of one vantage, in the order in which their results are shown. */
export function createChecks(options: CheckOptions): readonly Check[] {
  const { from, node, settings, apiService, ports, wireguard } = options
  const limitMs = settings.checkTimeoutMs
  const readService = createServiceReader(ports.kube, limitMs)
  const peers = { limitMs, from, port: ports.peers, peers: ports.findPeers, host: options.host }
  return [
    createDnsCheck({ ...dnsOptions(options), names: settings.dnsDomains, limitMs, from, ports }),
    from === 'sandbox'
      ? createApiPathCheck({ limitMs, api: options.apiPlace })
      : createApiCheck({ limitMs, ports, handshake: options.handshake, readService }),
    createTcpCheck({ limitMs, apiService, endpoints: settings.tcp, families: settings.ipFamilies, ports, readService }),
    createServicesCheck({ limitMs, ports, readService }),
    createPeersCheck(peers),
    createMtuCheck(peers),
    ...(from === 'sandbox' && settings.podPath ? [createPods(node, settings, ports)] : []),
    ...(wireguard === undefined ? [] : createWireguardChecks(wireguard, limitMs)),
  ]
}

function createPods(node: string, { checkTimeoutMs, ipFamilies }: CheckSettings, ports: CheckPorts): Check {
  const { pods, peers: port, findPeers: peers } = ports
  return createPodsCheck({ limitMs: checkTimeoutMs, node, families: ipFamilies, pods, port, peers })
}

function dnsOptions({ clusterDns, podDns: told, ports, apiService, settings }: CheckOptions) {
  const findCluster = async (conf: ResolvConf, port: number, signal: AbortSignal) => {
    if (clusterDns !== undefined) return clusterDns
    const apiAddress = apiService?.host
    return findClusterDns(
      { conf, port, dns: ports.dns, told, kube: ports.kube, apiAddress, limitMs: settings.checkTimeoutMs },
      signal,
    )
  }
  const inCluster = ports.kube !== undefined || apiService !== undefined
  return { findCluster, inCluster }
}

/** The ports that work in the network this process is in. */
export function createSocketPorts(
  rest: Pick<CheckPorts, 'kube' | 'peers' | 'findPeers'>,
  resolvConfPath = '/etc/resolv.conf',
): CheckPorts {
  return {
    ...rest,
    pods: podPort,
    dns: socketDns,
    dialTcp,
    resolveHost,
    readResolvConf: () => readFile(resolvConfPath, 'utf8'),
  }
}

/** Checks of one run ask for the same Service at the same time; one request serves all. */
function createServiceReader(kube: KubeApi | undefined, limitMs: number): (probe: Probe) => Promise<KubernetesService> {
  let pending: Promise<KubernetesService> | undefined
  const read = async (signal: AbortSignal) => {
    if (kube === undefined) throw new Error('no cluster is known')
    return readKubernetesService(kube, { signal, timeoutMs: limitMs })
  }
  return probe => {
    pending ??= probe.within(read).finally(() => {
      pending = undefined
    })
    return pending
  }
}
