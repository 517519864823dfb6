import { type ApiTarget, ask } from '../cluster/api-client.ts'
import { type NodeCondition, type NodeObject, networkCondition, testTaint, verifiedLabel } from '../lab/objects.ts'
import { until } from '../machine/wait.ts'
import { getObject } from './cluster/api.ts'
import { images } from './cluster/images.ts'

/** The parts of a Pod that tests look at. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: readonly NodeCondition[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface ContainerStatus {
  readonly containerID?: string
  readonly restartCount: number
}

/** The parts of an Event that tests look at. */
export interface KubeEvent {
  readonly metadata: { readonly name: string }
  readonly regarding: { readonly kind: string; readonly name: string }
  readonly reason: string
  readonly note: string
  readonly series?: { readonly count: number }
}

/** How a node stands with nopal. */
export interface Standing {
  readonly tainted: boolean
  /** Value of the label; undefined = there is none. */
  readonly label: string | undefined
  readonly condition: NodeCondition | undefined
}

export function standingOf(node: NodeObject): Standing {
  return {
    tainted: (node.spec.taints ?? []).some(taint => taint.key === testTaint.key),
    label: node.metadata.labels?.[verifiedLabel],
    condition: networkCondition(node),
  }
}

export async function readStanding(api: ApiTarget, node: string): Promise<Standing> {
  const found = await getObject<NodeObject>(api, `/api/v1/nodes/${node}`)
  if (found === undefined) throw new Error(`there is no node ${node}`)
  return standingOf(found)
}

/** Waits until a node has its label, no taint of ours, and the condition True. */
export function waitForVerified(api: ApiTarget, node: string): Promise<Standing> {
  return until(
    `${node} verified`,
    async () => {
      const standing = await readStanding(api, node)
      const { tainted, label, condition } = standing
      const verified = !tainted && label === 'true' && condition?.status === 'True'
      if (!verified) throw new Error(JSON.stringify(standing))
      return standing
    },
    { limitMs: 60_000, despiteErrors: true },
  )
}

/** As an administrator does who wants a node looked at again. */
export async function closeNode(api: ApiTarget, node: string): Promise<void> {
  const body = { metadata: { labels: { [verifiedLabel]: null } }, spec: { taints: [testTaint] } }
  const contentType = 'application/strategic-merge-patch+json'
  await ask(api, { method: 'PATCH', path: `/api/v1/nodes/${node}`, contentType, body })
}

/** What a test's pod is made from. */
export interface PodWish {
  readonly name: string
  /** The scheduler puts it there, once it may; undefined = anywhere. */
  readonly node?: string
  readonly annotations?: Readonly<Record<string, string>>
}

const podsPath = '/api/v1/namespaces/default/pods'

/** A pod that runs until it is asked to end, and then ends at once. */
export function podManifest({ name, node, annotations = {} }: PodWish): object {
  const script = 'trap "exit 0" TERM; sleep 2147483647 & wait'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
      containers: [{ name: 'main', image: images.busybox, imagePullPolicy: 'Never', command: ['sh', '-c', script] }],
    },
  }
}

export async function createPod(api: ApiTarget, wish: PodWish): Promise<void> {
  await send(api, 'POST', podsPath, podManifest(wish))
}

export async function readPod(api: ApiTarget, name: string): Promise<Pod | undefined> {
  return getObject<Pod>(api, `${podsPath}/${name}`)
}

export function waitForRunning(api: ApiTarget, name: string, limitMs = 60_000): Promise<Pod> {
  return until(
    `pod ${name} running`,
    async () => {
      const pod = await readPod(api, name)
      return pod?.status.phase === 'Running' && pod.status.podIP !== undefined ? pod : undefined
    },
    { limitMs, despiteErrors: true },
  )
}

/** Creates a pod and waits until it runs. */
export async function startPod(api: ApiTarget, wish: PodWish): Promise<Pod> {
  await createPod(api, wish)
  return await waitForRunning(api, wish.name)
}

/** Deletes a pod as everybody does, and waits until kubelet has ended it. */
export async function endPod(api: ApiTarget, name: string): Promise<void> {
  await send(api, 'DELETE', `${podsPath}/${name}`)
  await until(`pod ${name} gone`, async () => (await readPod(api, name)) === undefined, {
    limitMs: 60_000,
    despiteErrors: true,
  })
}

/** Deletes a pod as who does not wait for its kubelet: it is gone at once, whatever runs of it. */
export async function dropPod(api: ApiTarget, name: string): Promise<void> {
  await send(api, 'DELETE', `${podsPath}/${name}?gracePeriodSeconds=0`)
}

export async function listPods(api: ApiTarget, namespace: string, selector = ''): Promise<readonly Pod[]> {
  const query = selector === '' ? '' : `?labelSelector=${encodeURIComponent(selector)}`
  return listOf<Pod>(api, `/api/v1/namespaces/${namespace}/pods${query}`)
}

/** Events about one object, in no order. */
export async function eventsOf(api: ApiTarget, name: string, reason: string): Promise<readonly KubeEvent[]> {
  const events = await listOf<KubeEvent>(api, '/apis/events.k8s.io/v1/namespaces/default/events')
  return events.filter(event => event.regarding.name === name && event.reason === reason)
}

/** Waits for an Event about one object, as a duty tells it after it has done it; returns all with that reason. */
export function waitForEvent(api: ApiTarget, name: string, reason: string): Promise<readonly KubeEvent[]> {
  return until(
    `Event ${reason} of ${name}`,
    async () => {
      const events = await eventsOf(api, name, reason)
      return events.length > 0 ? events : undefined
    },
    { despiteErrors: true },
  )
}

/** Every Event of namespace default with that reason. */
export async function eventsBecause(api: ApiTarget, reason: string): Promise<readonly KubeEvent[]> {
  const events = await listOf<KubeEvent>(api, '/apis/events.k8s.io/v1/namespaces/default/events')
  return events.filter(event => event.reason === reason)
}

async function listOf<T>(api: ApiTarget, path: string): Promise<readonly T[]> {
  const list = await getObject<{ items: readonly T[] }>(api, path)
  return list?.items ?? []
}

async function send(api: ApiTarget, method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
  await ask(api, { method, path, body })
}
