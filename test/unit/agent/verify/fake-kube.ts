import { type KubeApi, KubeError, type KubeErrorCode, type KubeRequest } from '../../../../agent/kube/api.ts'
import { handOut } from '../kube/hand-out.ts'

/** What a request gets: a document, an error, or a promise that may never end. */
export type KubeReply = (request: KubeRequest) => unknown

/** An API that answers by method and path, and remembers what it was asked. */
export interface FakeKube extends KubeApi {
  readonly requests: readonly KubeRequest[]
}

/** Makes one; what no route names is not found. Routes are `GET /path`. */
export function createFakeKube(routes: Readonly<Record<string, KubeReply>>): FakeKube {
  const requests: KubeRequest[] = []
  return {
    server: 'https://192.0.2.1:6443',
    requests,
    async request(request) {
      requests.push(request)
      const route = routes[`${request.method} ${request.path}`]
      if (route === undefined) throw new KubeError('NotFound', `${request.path}: not found`, { status: 404 })
      return handOut(request, await route(request))
    },
  }
}

/** A reply that is an error. */
export function refuses(code: KubeErrorCode): KubeReply {
  return () => {
    throw new KubeError(code, `refused on purpose: ${code}`)
  }
}

/** A reply that never comes. */
export function hangs(): KubeReply {
  return () => new Promise(() => undefined)
}

/** Service default/kubernetes as the API returns it. */
export function kubernetesService(clusterIPs: readonly string[] = ['10.96.0.1'], port = 443): unknown {
  return {
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: clusterIPs[0], clusterIPs, ports: [{ name: 'https', port, targetPort: 6443, protocol: 'TCP' }] },
  }
}

/** A list with one EndpointSlice. */
export function endpointSlices(
  ...endpoints: readonly (readonly [address: string, port: number, ready?: boolean])[]
): unknown {
  const items = endpoints.map(([address, port, ready]) => ({
    metadata: { name: `kubernetes-${address}` },
    endpoints: [{ addresses: [address], conditions: { ready } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }))
  return { kind: 'EndpointSliceList', items }
}

export const servicePath = 'GET /api/v1/namespaces/default/services/kubernetes'
export const slicesPath = 'GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
