import * as v from 'valibot'
import { errorCode } from '../../cni/host/system-error.ts'
import type { KubeApi } from '../kube/api.ts'
import { readEndpointSlices, type SlicePort } from '../kube/endpoint-slices.ts'
import { CheckFault } from './check.ts'
import { toKubeFault } from './reasons.ts'

/** Service default/kubernetes, as far as the checks need it. */
export interface KubernetesService {
  /** One per IP family, the primary one first. */
  readonly clusterIps: readonly string[]
  readonly ports: readonly SlicePort[]
}

/** An address that an EndpointSlice says is ready, on a port of the Service. */
export interface ReadyEndpoint {
  readonly address: string
  readonly port: number
}

/** What the slices of a Service say together. */
export interface EndpointFacts {
  readonly addresses: number
  readonly ready: readonly ReadyEndpoint[]
}

const portName = v.nullish(v.string(), '')

const serviceShape = v.object({
  spec: v.object({
    clusterIP: v.optional(v.string()),
    clusterIPs: v.optional(v.array(v.string()), []),
    ports: v.array(v.object({ name: portName, port: v.number() })),
  }),
})

const servicePath = '/api/v1/namespaces/default/services/kubernetes'
const itsSlices = { namespace: 'default', service: 'kubernetes' }

/**
 * Reads the Service.
 * @throws CheckFault with the reason of the API's refusal; NoService where it does not exist
 */
export async function readKubernetesService(kube: KubeApi, how: ReadOptions): Promise<KubernetesService> {
  const reply = await kube.request({ method: 'GET', path: servicePath, ...how }).catch(error => {
    const fault = toKubeFault(error)
    throw isNotFound(error) ? new CheckFault('NoService', 'there is no Service default/kubernetes', error) : fault
  })
  return parseService(reply)
}

/** How long a read may take, and what ends it early. */
export interface ReadOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/**
 * Reads the Service's EndpointSlices and gathers what is ready on the Service's own ports.
 * @throws CheckFault with the reason of the API's refusal
 */
export async function readEndpoints(
  kube: KubeApi,
  service: KubernetesService,
  how: ReadOptions,
): Promise<EndpointFacts> {
  const slices = await readEndpointSlices(kube, { ...itsSlices, ...how }).catch(error => {
    throw toKubeFault(error)
  })
  const names = new Set(service.ports.map(port => port.name))
  const ready = new Map<string, ReadyEndpoint>()
  let addresses = 0
  for (const { endpoints, ports } of slices) {
    const found = endpoints.filter(each => each.ready).flatMap(each => each.addresses)
    addresses += found.length
    for (const { name, port } of ports)
      if (names.has(name)) for (const address of found) ready.set(`${address} ${port}`, { address, port })
  }
  return { addresses, ready: [...ready.values()] }
}

/** Checks the reply to a read of the Service. */
function parseService(reply: unknown): KubernetesService {
  const parsed = v.safeParse(serviceShape, reply)
  if (!parsed.success) throw new CheckFault('BadReply', 'the reply is no Service')
  const { clusterIP, clusterIPs, ports } = parsed.output.spec
  const clusterIps = [...new Set([...clusterIPs, ...(clusterIP === undefined ? [] : [clusterIP])])]
  return { clusterIps: clusterIps.filter(ip => ip !== 'None' && ip !== ''), ports }
}

function isNotFound(error: unknown): boolean {
  return errorCode(error) === 'NotFound'
}

/** Reads what the checks will ask for, so that another vantage can be told. Faults are told by the checks. */
export async function readAhead(kube: KubeApi, how: ReadOptions): Promise<void> {
  await Promise.allSettled([
    kube.request({ method: 'GET', path: servicePath, ...how }),
    readEndpointSlices(kube, { ...itsSlices, ...how }),
  ])
}
