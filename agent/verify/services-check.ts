import { formatHostPort } from '../../cni/host/host-port.ts'
import { type Check, CheckFault, type Finding, type Probe, skipped } from './check.ts'
import { type EndpointFacts, type KubernetesService, type ReadyEndpoint, readEndpoints } from './kubernetes-service.ts'
import type { CheckPorts } from './ports.ts'

/** What the service discovery check asks for. */
export interface ServicesCheckOptions {
  readonly limitMs: number
  readonly ports: Pick<CheckPorts, 'kube' | 'dialTcp'>
  /** Reads Service default/kubernetes; shared with the TCP check, so that one run reads it once. */
  readService(probe: Probe): Promise<KubernetesService>
}

const target = 'Service default/kubernetes'
const slicesTarget = 'EndpointSlices of default/kubernetes'
const mostDials = 8

/** The Service exists, its slices name ready endpoints, and what they name answers. */
export function createServicesCheck(options: ServicesCheckOptions): Check {
  return {
    code: 'services',
    title: 'service discovery',
    dependsOn: ['api'],
    limitMs: options.limitMs,
    overdue: 'TimedOut',
    run: probe => askServices(options, probe),
  }
}

async function askServices(options: ServicesCheckOptions, probe: Probe): Promise<readonly Finding[]> {
  const { kube } = options.ports
  if (kube === undefined) return [skipped(target, 'NoCluster', 'no cluster is known')]
  let service: KubernetesService | undefined
  const exists = await probe.find(target, async () => {
    service = await options.readService(probe)
    return { result: 'pass', message: `at ${service.clusterIps.join(', ') || 'no cluster address'}` }
  })
  if (service === undefined) return [exists]
  const known = service
  let facts: EndpointFacts | undefined
  const listed = await probe.find(slicesTarget, async () => {
    const how = { timeoutMs: options.limitMs }
    facts = await probe.within(signal => readEndpoints(kube, known, { ...how, signal }))
    return judgeEndpoints(facts)
  })
  const dials = await dialAll(facts?.ready ?? [], options, probe)
  return [exists, listed, ...dials]
}

function judgeEndpoints({ addresses, ready }: EndpointFacts): { result: 'pass'; message: string } {
  if (addresses === 0) throw new CheckFault('NoEndpoints', 'no endpoint of the Service is ready')
  if (ready.length === 0) throw new CheckFault('EndpointsDisagree', 'no slice has a port of the Service')
  return { result: 'pass', message: `${ready.length} ready` }
}

/** One endpoint that answers is enough: a control plane may be one server short while it fails over. */
async function dialAll(
  endpoints: readonly ReadyEndpoint[],
  options: ServicesCheckOptions,
  probe: Probe,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    endpoints.slice(0, mostDials).map(endpoint =>
      probe.find(formatHostPort(endpoint.address, endpoint.port), async () => {
        await probe.within(signal => options.ports.dialTcp(endpoint.address, endpoint.port, signal))
        return { result: 'pass', message: 'the endpoint answers' }
      }),
    ),
  )
  const result = findings.some(each => each.result === 'pass') ? 'warn' : 'fail'
  return findings.map(each => (each.result === 'fail' ? disagree(each, result) : each))
}

function disagree(finding: Finding, result: 'warn' | 'fail'): Finding {
  const message = `listed as ready, but it does not answer: ${finding.message}`
  return { ...finding, result, reason: 'EndpointsDisagree', message }
}
