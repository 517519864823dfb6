import { ApiRefused, ask, type ObjectApi } from '../cluster/api-client.ts'
import type { NodePlan } from './node.ts'

export { ask, type ObjectApi }

/** Paths and bodies of the Kubernetes objects that the lab makes. */

export const testTaint = { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' } as const
export const verifiedLabel = 'node-ready/verified'
/** Media type of a JSON Patch. */
export const jsonPatch = 'application/json-patch+json'
const conditionType = 'nopal.io/NetworkReady'

/** The parts of a Node that tests look at. */
export interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] }
  readonly status?: { readonly conditions?: readonly NodeCondition[] }
}

export interface NodeCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/**
 * Registers a node as a kubelet started with the test taint does. The API server adds its own taint not-ready, which a
 * controller lifts when kubelet reports Ready; both are played here.
 */
export async function createNode(api: ObjectApi, plan: NodePlan): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: plan.name, labels: { 'kubernetes.io/hostname': plan.name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: plan.podCidr, podCIDRs: [plan.podCidr], taints: [testTaint] },
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'played by the lab' }],
      addresses: [
        { type: 'InternalIP', address: plan.meshAddress },
        { type: 'ExternalIP', address: plan.publicAddress },
        { type: 'Hostname', address: plan.name },
      ],
    },
  }
  await ask(api, { method: 'POST', path: '/api/v1/nodes', body })
  const steps = [{ op: 'replace', path: '/spec/taints', value: [testTaint] }]
  await ask(api, { method: 'PATCH', path: `/api/v1/nodes/${plan.name}`, body: steps, contentType: jsonPatch })
}

export async function readNode(api: ObjectApi, name: string): Promise<NodeObject> {
  return (await ask(api, { method: 'GET', path: `/api/v1/nodes/${name}` })) as NodeObject
}

/** The node's own verdict as others see it; undefined before the first one. */
export function networkCondition(node: NodeObject): NodeCondition | undefined {
  return node.status?.conditions?.find(condition => condition.type === conditionType)
}

export function hasTestTaint(node: NodeObject): boolean {
  return (node.spec.taints ?? []).some(taint => taint.key === testTaint.key && taint.effect === testTaint.effect)
}

export interface PodRequest {
  readonly namespace: string
  readonly name: string
  readonly node: string
  /** Value of the annotation `networks`. */
  readonly networks: string | undefined
}

/** Creates a pod that is already bound to its node, and returns its uid. */
export async function createPod(api: ObjectApi, pod: PodRequest): Promise<string> {
  const annotations = pod.networks === undefined ? {} : { networks: pod.networks }
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace, annotations },
    spec: {
      nodeName: pod.node,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'localhost/none', imagePullPolicy: 'Never' }],
    },
  }
  const made = (await ask(api, { method: 'POST', path: podsPath(pod), body })) as { metadata: { uid: string } }
  return made.metadata.uid
}

/** Deletes a pod at once, as a kubelet does when its sandbox is gone. */
export async function deletePod(
  api: ObjectApi,
  pod: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const path = `${podsPath(pod)}/${pod.name}?gracePeriodSeconds=0`
  const answer = await api.send({ method: 'DELETE', path })
  if (answer.code >= 300 && answer.code !== 404) throw new ApiRefused({ method: 'DELETE', path }, answer)
}

function podsPath({ namespace }: { readonly namespace: string }): string {
  return `/api/v1/namespaces/${namespace}/pods`
}
