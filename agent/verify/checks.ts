import { readFile } from 'node:fs/promises'
import type { Endpoint, VerifySettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import { createApiCheck } from './api-check.ts'
import type { Check, Probe } from './check.ts'
import { dialTcp, resolveHost } from './dial.ts'
import { createDnsCheck } from './dns/check.ts'
import { socketDns } from './dns/transport.ts'
import { type KubernetesService, readKubernetesService } from './kubernetes-service.ts'
import type { CheckPorts } from './ports.ts'
import { createServicesCheck } from './services-check.ts'
import { createTcpCheck } from './tcp-check.ts'

/** What the checks of one vantage are made from. */
export interface CheckOptions {
  readonly node: string
  readonly settings: Pick<VerifySettings, 'dnsDomains' | 'checkTimeoutMs' | 'tcp' | 'ipFamilies'>
  readonly apiService: Endpoint | undefined
  readonly ports: CheckPorts
  /** Port of the name servers; 53 unless told. */
  readonly dnsPort?: number
}

/** All checks of one vantage, in the order in which their results are shown. */
export function createChecks(options: CheckOptions): readonly Check[] {
  const { node, settings, apiService, ports } = options
  const limitMs = settings.checkTimeoutMs
  const readService = createServiceReader(ports.kube, limitMs)
  const dnsPort = options.dnsPort === undefined ? {} : { port: options.dnsPort }
  return [
    createDnsCheck({ names: settings.dnsDomains, limitMs, ports, ...dnsPort }),
    createApiCheck({ node, limitMs, ports }),
    createTcpCheck({ limitMs, apiService, endpoints: settings.tcp, families: settings.ipFamilies, ports, readService }),
    createServicesCheck({ limitMs, ports, readService }),
  ]
}

/** The ports of the host's own network. */
export function createHostPorts(kube: KubeApi | undefined, resolvConfPath = '/etc/resolv.conf'): CheckPorts {
  return { kube, dns: socketDns, dialTcp, resolveHost, readResolvConf: () => readFile(resolvConfPath, 'utf8') }
}

/** Two checks of one run ask for the same Service at the same time; one request serves both. */
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
