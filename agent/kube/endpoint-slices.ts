import * as v from 'valibot'
import { type KubeApi, KubeError, type KubeRequest } from './api.ts'

/** One of the lists of addresses that Kubernetes keeps of a Service. */
export interface EndpointSlice {
  readonly endpoints: readonly SliceEndpoint[]
  readonly ports: readonly SlicePort[]
}

/** What stands behind a Service at one place. */
export interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly nodeName: string | undefined
  readonly ready: boolean
}

/** The name ties it to a port of the Service; empty where the Service has one port alone. */
export interface SlicePort {
  readonly name: string
  readonly port: number
}

export interface SlicesQuestion extends Pick<KubeRequest, 'signal' | 'timeoutMs'> {
  readonly namespace: string
  readonly service: string
  /** Out of the API server's cache, which may be behind. */
  readonly fromCache?: boolean
}

const shape = v.object({
  items: v.array(
    v.object({
      endpoints: v.nullish(
        v.array(
          v.object({
            addresses: v.array(v.string()),
            nodeName: v.nullish(v.string()),
            conditions: v.nullish(v.object({ ready: v.nullish(v.boolean()) })),
          }),
        ),
      ),
      ports: v.nullish(v.array(v.object({ name: v.nullish(v.string()), port: v.nullish(v.number()) }))),
    }),
  ),
})

/**
 * Reads the EndpointSlices of a Service.
 * @throws KubeError
 */
export async function readEndpointSlices(api: KubeApi, question: SlicesQuestion): Promise<readonly EndpointSlice[]> {
  const { namespace, service, fromCache = false, ...how } = question
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`
  const labelSelector = `kubernetes.io/service-name=${service}`
  const query = { labelSelector, ...(fromCache && { resourceVersion: '0' }) }
  const parsed = v.safeParse(shape, await api.request({ method: 'GET', path, query, ...how }))
  if (!parsed.success) throw new KubeError('BadReply', 'the reply is no list of EndpointSlices')
  return parsed.output.items.map(({ endpoints, ports }) => ({
    endpoints: (endpoints ?? []).map(({ addresses, nodeName, conditions }) => ({
      addresses,
      nodeName: nodeName ?? undefined,
      // The API leaves `ready` out where it does not know; readers shall take that as ready.
      ready: conditions?.ready !== false,
    })),
    ports: (ports ?? []).flatMap(({ name, port }) => (port == null ? [] : [{ name: name ?? '', port }])),
  }))
}
