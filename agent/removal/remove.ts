import { type KubeApi, KubeError, orAbsent } from '../kube/api.ts'
import { listPages } from '../kube/list.ts'
import { parseNode } from '../kube/node.ts'
import { type Clock, pause } from '../runtime/clock.ts'
import { type LeftNode, parseOwnPod, type Undoing, undoingOf, uninstallerName } from './undoing.ts'

export interface RemoveOptions {
  readonly api: KubeApi
  /** Where nopal runs. */
  readonly namespace: string
  /** Milliseconds that nodes are waited for. */
  readonly withinMs: number
  readonly clock: Clock
  readonly leases: readonly string[]
  /** Takes nopal's marks off a Node; what it did, for people. */
  unmark(node: string): Promise<readonly string[]>
  readonly signal: AbortSignal
}

/** What has become of each node. */
export interface Removal {
  readonly done: readonly string[]
  readonly left: readonly LeftNode[]
  /** For people: what was done to Nodes beside what their own pods did. */
  readonly notes: readonly string[]
}

const pauseMs = 1_000

/**
 * Takes nopal off all nodes of the cluster. Agents and leader go first. Then each node has a pod of DaemonSet nopal-uninstall
 * to undo what is on it, where the agent is dead, too; a node that has not done so in time is left as it is and named. Marks
 * on Nodes go in any case: they are the API server's, whatever has become of the node.
 * @throws KubeError
 */
export async function remove(options: RemoveOptions): Promise<Removal> {
  const { api, namespace, leases, signal } = options
  const apps = `/apis/apps/v1/namespaces/${namespace}`
  // First: it might start another agent, or delete nodes that say nothing any more.
  await takeAway(api, `${apps}/deployments/nopal-leader`, signal)
  await takeAway(api, `${apps}/daemonsets/nopal`, signal)
  const undoing = await waitForNodes(options)
  // Agents and leaders that nobody could end, their kubelet being silent, would put marks and Leases back.
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await takeAway(api, `${rbac}/clusterrolebindings/nopal-agent`, signal)
  for (const name of ['nopal-agent', 'nopal-leader']) {
    await takeAway(api, `${rbac}/namespaces/${namespace}/rolebindings/${name}`, signal)
  }
  const marks = await unmarkAll(options)
  for (const lease of leases) {
    await takeAway(api, `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${lease}`, signal)
  }
  return { done: undoing.done.toSorted(), left: [...undoing.left, ...marks.left], notes: marks.notes }
}

async function takeAway(api: KubeApi, path: string, signal: AbortSignal): Promise<void> {
  await api.request({ method: 'DELETE', path, query: { propagationPolicy: 'Background' }, signal }).catch(orAbsent)
}

async function waitForNodes(options: RemoveOptions): Promise<Undoing> {
  const { clock, withinMs, signal } = options
  const startedMs = clock.monotonic()
  for (;;) {
    const undoing = await look(options)
    if (undoing.complete || clock.monotonic() - startedMs >= withinMs || signal.aborted) return undoing
    await pause(clock, pauseMs, signal)
  }
}

async function look({ api, namespace, signal }: RemoveOptions): Promise<Undoing> {
  const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${uninstallerName}`
  const daemonSet = await api.request({ method: 'GET', path, signal })
  const query = { labelSelector: 'app.kubernetes.io/part-of=nopal' }
  const pods = await gather(
    listPages({ api, path: `/api/v1/namespaces/${namespace}/pods`, query, signal, read: toPod }),
  )
  return undoingOf(daemonSet, pods)
}

const toPod = ({ body }: { readonly body: unknown }) => parseOwnPod(body)

async function gather<T>(pages: AsyncIterable<{ readonly values: readonly T[] }>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const { values } of pages) all.push(...values)
  return all
}

/** A Node that cannot be written to does not keep the others' marks. */
async function unmarkAll({ api, unmark, signal }: RemoveOptions): Promise<Pick<Removal, 'left' | 'notes'>> {
  const read = ({ body }: { readonly body: unknown }) => parseNode(body)?.name
  const left: LeftNode[] = []
  const notes: string[] = []
  for (const node of await gather(listPages({ api, path: '/api/v1/nodes', signal, read }))) {
    try {
      notes.push(...(await unmark(node)).map(note => `${node}: ${note}`))
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      left.push({ node, why: `the Node keeps the marks of nopal: ${error.message}` })
    }
  }
  return { left, notes }
}
