import { isIP } from 'node:net'
import { formatHostPort } from '../../cni/host/host-port.ts'
import type { Endpoint, VerifySettings } from '../config/settings.ts'
import { type Check, CheckFault, type Finding, type Probe, skipped } from './check.ts'
import type { KubernetesService } from './kubernetes-service.ts'
import type { CheckPorts } from './ports.ts'
import { groupByFamily } from './targets.ts'

/** What the TCP check dials. */
export interface TcpCheckOptions {
  readonly limitMs: number
  /** The API's Service address as kubelet tells a pod; else it is read from the Service. */
  readonly apiService: Endpoint | undefined
  readonly endpoints: readonly Endpoint[]
  readonly families: VerifySettings['ipFamilies']
  readonly ports: Pick<CheckPorts, 'kube' | 'dialTcp' | 'resolveHost'>
  /** Reads Service default/kubernetes; shared with the service discovery check. */
  readService(probe: Probe): Promise<KubernetesService>
}

/** Something to reach: its addresses by family, the primary family first. */
interface Destination {
  readonly name: string
  readonly port: number
  readonly families: readonly (readonly string[])[]
}

/** A name with more addresses than this is asked at the first ones. */
const mostAddresses = 4

/** Connects to the API's Service address and to each `host:port` of the settings, per IP family. */
export function createTcpCheck(options: TcpCheckOptions): Check {
  return {
    code: 'tcp',
    title: 'TCP',
    dependsOn: [],
    limitMs: options.limitMs,
    overdue: 'TimedOut',
    async run(probe) {
      const own = options.endpoints.map(endpoint => dialEndpoint(endpoint, options, probe))
      const findings = await Promise.all([dialService(options, probe), ...own])
      return findings.flat()
    },
  }
}

async function dialService(options: TcpCheckOptions, probe: Probe): Promise<readonly Finding[]> {
  if (options.apiService !== undefined) return dialEndpoint(options.apiService, options, probe)
  if (options.ports.kube === undefined)
    return [skipped('Service default/kubernetes', 'NoCluster', 'no cluster is known')]
  const service = await options.readService(probe).catch(() => undefined)
  // The service discovery check says why; here there is only nothing to dial.
  if (service === undefined)
    return [skipped('Service default/kubernetes', 'DependencyFailed', 'its address is not known')]
  const [port] = service.ports
  const families = groupByFamily(service.clusterIps.filter(address => isIP(address) !== 0))
  if (port === undefined || families.length === 0) {
    return [skipped('Service default/kubernetes', 'NoClusterAddress', 'the Service has no cluster address')]
  }
  return dial({ name: 'Service default/kubernetes', port: port.port, families }, options, probe)
}

async function dialEndpoint(endpoint: Endpoint, options: TcpCheckOptions, probe: Probe): Promise<readonly Finding[]> {
  const { host, port } = endpoint
  if (isIP(host) !== 0) return dial({ name: host, port, families: [[host]] }, options, probe)
  let addresses: readonly string[] = []
  const resolved = await probe.find(formatHostPort(host, port), async () => {
    addresses = await probe.within(() => options.ports.resolveHost(host))
    if (addresses.length === 0) throw new CheckFault('Unreachable', `the name ${host} has no address`)
    return { result: 'pass', message: addresses.join(', ') }
  })
  if (resolved.result === 'fail') return [resolved]
  return dial({ name: host, port, families: groupByFamily(addresses) }, options, probe)
}

async function dial(destination: Destination, options: TcpCheckOptions, probe: Probe): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    destination.families.map(addresses => dialFamily(addresses, destination, options, probe)),
  )
  return excuseFamilies(findings, options.families)
}

/** One family of one destination passes with the first address that answers. */
async function dialFamily(
  addresses: readonly string[],
  { name, port }: Destination,
  options: TcpCheckOptions,
  probe: Probe,
): Promise<Finding> {
  const shown = addresses.slice(0, mostAddresses)
  const label = shown.map(address => formatHostPort(address, port)).join(', ')
  const target = isIP(name) === 0 ? `${label} (${name})` : label
  return probe.find(target, async () => {
    try {
      const reached = await Promise.any(
        shown.map(async address => {
          await probe.within(signal => options.ports.dialTcp(address, port, signal))
          return address
        }),
      )
      return { result: 'pass', message: `${reached} answers` }
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error
    }
  })
}

/** `all`: each family must answer; `any`: one of them; `primary`: the first. What is excused still warns. */
function excuseFamilies(findings: readonly Finding[], policy: VerifySettings['ipFamilies']): readonly Finding[] {
  const enough = policy === 'any' && findings.some(each => each.result === 'pass')
  return findings.map((finding, index) => {
    const excused = enough || (policy === 'primary' && index > 0)
    return finding.result === 'fail' && excused ? { ...finding, result: 'warn' } : finding
  })
}
