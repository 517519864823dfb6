import { readFile } from 'node:fs/promises'
import { sendRequest } from '../../cluster/api-client.ts'
import type { ApiAnswer, ApiRequest, ApiServer, ApiTarget } from '../../cluster/api-server.ts'
import { issueCertificate } from '../../cluster/pki.ts'
import { applyManifests } from '../../lab/product.ts'
import { until } from '../../machine/wait.ts'
import { get, newerEvents, nodeNetworks, nodes, patchMerge, post } from '../api/requests.ts'

export const pods = '/api/v1/namespaces/default/pods'

/** Where the product's own objects are. */
export const leases = '/apis/coordination.k8s.io/v1/namespaces/nopal/leases'
export const accounts = '/api/v1/namespaces/nopal/serviceaccounts'

/** The node of the thief, and somebody else's. */
export const own = 'n1'
export const other = 'n2'

export const ownTaint = { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' }
export const foreignTaint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' }
export const otherEffect = { ...ownTaint, effect: 'NoExecute' }

const time = '2026-01-01T00:00:00Z'

export function conditionOf(type: string, status: string): object {
  return { type, status, reason: 'Told', message: 'told', lastHeartbeatTime: time, lastTransitionTime: time }
}

/** As much as a busy node has: the policy must be able to afford it. */
const images = Array.from({ length: 50 }, (_, at) => ({
  names: Array.from({ length: 5 }, (_, tag) => `images.example/${'team/'.repeat(10)}image-${at}:${tag}`),
  sizeBytes: at,
}))
const manyLabels = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`example.com/label-${at}`, `${at}`]))

function nodeObject(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { ...manyLabels, 'kubernetes.io/hostname': name },
      annotations: { 'example.com/a': 'b' },
    },
    spec: { podCIDR: '10.42.1.0/24', podCIDRs: ['10.42.1.0/24'], providerID: `test://${name}`, taints: [foreignTaint] },
    status: {
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      capacity: { cpu: '2', memory: '4Gi', pods: '110' },
      conditions: [conditionOf('Ready', 'True')],
      images,
    },
  }
}

/** A pod on the node of its name. */
export function podObject(nodeName: string): object {
  const containers = [{ name: 'main', image: 'localhost/none' }]
  const metadata = { name: nodeName, labels: { app: 'a' }, annotations: { networks: '[]' } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName, automountServiceAccountToken: false, containers },
  }
}

/** What an agent says of a pod. */
export function podEventOf(node: string, name: string): object {
  const regarding = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: node }
  return { ...eventOf(node, name), reason: 'AddedInterface', regarding }
}

/** Every right on everything that the policy looks at: what is refused then is refused by the policy. */
const everyRight = {
  metadata: { name: 'everything' },
  rules: [
    { apiGroups: [''], resources: ['nodes', 'nodes/status', 'nodes/proxy'], verbs: ['*'] },
    { apiGroups: [''], resources: ['pods', 'pods/status', 'pods/eviction'], verbs: ['*'] },
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['*'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['*'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] },
    { apiGroups: ['nopal.io'], resources: ['nodenetworks', 'nodenetworks/status'], verbs: ['*'] },
  ],
}

const toTheAgents = {
  metadata: { name: 'everything' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'everything' },
  subjects: [{ kind: 'ServiceAccount', namespace: 'nopal', name: 'nopal' }],
}

const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** Installs the product's rights and policy, and makes what a thief may want to change. */
export async function prepare(api: ApiServer): Promise<void> {
  await applyManifests(api)
  for (const name of [own, other]) await must(api, post(nodes, nodeObject(name)))
  for (const name of [own, other]) {
    const taints = [foreignTaint, ownTaint, otherEffect]
    await must(api, patchMerge(`${nodes}/${name}`, { spec: { taints } }))
    await must(api, post(nodeNetworks, { apiVersion: 'nopal.io/v1alpha1', kind: 'NodeNetwork', metadata: { name } }))
    await must(api, post(newerEvents, eventOf(name, `told-by-${name}`)))
    await must(api, post(pods, podObject(name)))
  }
  await must(api, post(leases, leaseOf('nopal-heal', `${other}_1`)))
  await must(api, post(leases, leaseOf('of-others', 'somebody')))
  await must(api, post(newerEvents, { ...eventOf(own, 'told-by-kubelet'), reportingController: 'kubelet' }))
}

/** Gives the agents every right there is, so that nothing but the policy is in their way. */
export async function grantEverything(api: ApiServer, thief: ApiTarget): Promise<void> {
  await must(api, post(`${rbac}/clusterroles`, everyRight))
  await must(api, post(`${rbac}/clusterrolebindings`, toTheAgents))
  const mayDelete = async () => (await sendRequest(thief, get(`${leases}/of-others`))).code === 200
  await until('the rights are in force', mayDelete)
}

/** The way in of a node's kubelet. */
export async function kubeletOf(api: ApiServer, node: string): Promise<ApiTarget> {
  const subject = { commonName: `system:node:${node}`, groups: ['system:nodes'] }
  const { certFile, keyFile } = await issueCertificate(api.pki.folder, `kubelet-${node}`, subject)
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
  return { ...api.admin, cert, key }
}

/** A policy is in force a moment after it is there. */
export async function untilInForce(thief: ApiTarget): Promise<void> {
  const cordon = patchMerge(`${nodes}/${other}?dryRun=All`, { spec: { unschedulable: true } })
  await until('the policy to be in force', async () => (await sendRequest(thief, cordon)).code === 403)
}

/** All that the table of refusals is about. */
export async function readAll(api: ApiServer): Promise<readonly unknown[]> {
  const folders = [nodes, nodeNetworks, newerEvents, leases, pods]
  return await Promise.all(folders.map(async path => ((await api.send(get(path))).body as { items: unknown }).items))
}

/** A PUT of the object that is there, but for what its body says. */
export async function whole(api: ApiServer, send: ApiRequest): Promise<ApiRequest> {
  if (send.method !== 'PUT') return send
  const { body } = await must(api, get(send.path))
  return { ...send, body: { ...(body as object), ...(send.body as object) } }
}

export async function must(api: ApiServer, request: ApiRequest): Promise<ApiAnswer> {
  const answer = await api.send(request)
  if (answer.code > 299) throw new Error(`${request.method} ${request.path}: ${JSON.stringify(answer.body)}`)
  return answer
}

export function leaseOf(name: string, holderIdentity: string): object {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: { holderIdentity } }
}

export function eventOf(node: string, name: string): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'nopal',
    reportingInstance: node,
    action: 'Told',
    type: 'Normal',
    reason: 'Told',
    note: 'told',
    regarding: { apiVersion: 'v1', kind: 'Node', name: node },
  }
}

export function tokenRequest(spec: object): object {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
}

export function boundTo(name: string, kind = 'Node'): object {
  return { boundObjectRef: { apiVersion: 'v1', kind, name } }
}
