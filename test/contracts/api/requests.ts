import type { ApiRequest } from '../../cluster/api-server.ts'

// Short ways to say a request, so that the tables read as what they ask.

export function get(path: string): ApiRequest {
  return { method: 'GET', path }
}

export function post(path: string, body: unknown): ApiRequest {
  return { method: 'POST', path, body }
}

export function put(path: string, body: unknown): ApiRequest {
  return { method: 'PUT', path, body }
}

export function remove(path: string, body?: unknown): ApiRequest {
  return body === undefined ? { method: 'DELETE', path } : { method: 'DELETE', path, body }
}

export function patchJson(path: string, body: unknown): ApiRequest {
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' }
}

export function patchMerge(path: string, body: unknown): ApiRequest {
  return { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }
}

export function patchStrategic(path: string, body: unknown): ApiRequest {
  return { method: 'PATCH', path, body, contentType: 'application/strategic-merge-patch+json' }
}

export const nodes = '/api/v1/nodes'
export const networks = '/apis/kaloom.com/v1/namespaces/default/networks'
export const nodeNetworks = '/apis/nopal.io/v1alpha1/nodenetworks'
export const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
export const coreEvents = '/api/v1/namespaces/default/events'
export const newerEvents = '/apis/events.k8s.io/v1/namespaces/default/events'

/** A Node of that name, with anything more. */
export function node(name: string, more: { labels?: object; spec?: object; status?: object } = {}): object {
  const { labels = {}, spec = {}, status = {} } = more
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status }
}

/** A Status as the server words a refusal. */
export function refusal(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message }
}

/** The answer to a patch that cannot be applied. */
export const patchRejected = refusal(422, 'Invalid', 'the server rejected our request due to an error in our request')
