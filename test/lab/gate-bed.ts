import type { AuditLine } from '../cluster/api-server.ts'
import { type RunningProxy, startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import { account } from './agent.ts'
import { internet } from './internet.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import {
  ask,
  hasTestTaint,
  jsonPatch,
  type NodeObject,
  networkCondition,
  readNode,
  testTaint,
  verifiedLabel,
} from './objects.ts'

/** A Node with all that these tests look at. */
export interface GateNode extends NodeObject {
  readonly metadata: NodeObject['metadata'] & { readonly uid: string; readonly resourceVersion: string }
}

/** Every state of the nodes from now on, as any other client of the API sees them. */
export interface NodeHistory {
  readonly seen: readonly GateNode[]
  close(): void
}

export const mergePatch = 'application/merge-patch+json'

/** A proxy between the agent of the first node and the API server, in the control plane's namespace. */
export async function startProxy(lab: Lab): Promise<{ proxy: RunningProxy; kubeconfig: string }> {
  const proxy = await startFaultProxy(lab.api, { netns: lab.control.netns, host: internet.controlPlane })
  return { proxy, kubeconfig: await proxy.kubeconfigFor(account.namespace, account.name, lab.node(1).name) }
}

export async function watchNodes(lab: Lab): Promise<NodeHistory> {
  const watch = await lab.api.watch('/api/v1/nodes?watch=true')
  const seen: GateNode[] = []
  const gather = async () => {
    for (let line = await watch.next(); line !== undefined; line = await watch.next()) {
      seen.push(line.object as unknown as GateNode)
    }
  }
  // The end of the watch is the end of the test.
  gather().catch(() => {})
  return { seen, close: () => watch.close() }
}

/** Waits until the node is open: no taint of ours, labelled, and said to be verified. */
export async function untilOpen(lab: Lab, name: string, limitMs = 60_000): Promise<NodeObject> {
  return await until(`${name} to be open`, async () => openNode(await readNode(lab.api, name)), { limitMs })
}

function openNode(node: NodeObject): NodeObject | undefined {
  const said = networkCondition(node)?.status === 'True'
  return said && isOpen(node) ? node : undefined
}

export function isOpen(node: NodeObject): boolean {
  return !hasTestTaint(node) && node.metadata.labels?.[verifiedLabel] === 'true'
}

/** Waits until the node's condition has that reason. */
export async function untilSaid(lab: Lab, name: string, reason: string): Promise<NodeObject> {
  const find = async () => {
    const node = await readNode(lab.api, name)
    return networkCondition(node)?.reason === reason ? node : undefined
  }
  return await until(`${name} to say ${reason}`, find, { limitMs: 60_000 })
}

/** Puts a node back to where it was before any agent: our taint on, our label off. */
export async function shutNode(lab: Lab, name: string): Promise<void> {
  const taints = ((await readNode(lab.api, name)).spec.taints ?? []).filter(({ key }) => key !== testTaint.key)
  const body = { metadata: { labels: { [verifiedLabel]: null } }, spec: { taints: [...taints, testTaint] } }
  await ask(lab.api, { method: 'PATCH', path: nodePath(name), body, contentType: mergePatch })
}

/** Changes labels of a node; null takes one off. */
export async function setLabels(lab: Lab, name: string, labels: Record<string, string | null>): Promise<void> {
  await ask(lab.api, { method: 'PATCH', path: nodePath(name), body: { metadata: { labels } }, contentType: mergePatch })
}

/** Appends a taint, whatever others are there. */
export async function addTaint(lab: Lab, name: string, taint: object): Promise<void> {
  const { spec } = await readNode(lab.api, name)
  const step =
    spec.taints === undefined ? { path: '/spec/taints', value: [taint] } : { path: '/spec/taints/-', value: taint }
  const body = [{ op: 'add', ...step }]
  await ask(lab.api, { method: 'PATCH', path: nodePath(name), body, contentType: jsonPatch })
}

export function nodePath(name: string): string {
  return `/api/v1/nodes/${name}`
}

/** What the agents have asked of the API, watches and leases aside. */
export async function agentRequests(lab: Lab): Promise<readonly AuditLine[]> {
  const user = `system:serviceaccount:${account.namespace}:${account.name}`
  const lines = (await lab.api.requests()).filter(line => line.user === user)
  return lines.filter(({ verb, path }) => verb !== 'watch' && !path.includes('/leases'))
}

/** What a URL of the agent answers; status 0 for nothing. */
export async function askAgent(node: LabNode, path: string): Promise<{ status: number; text: string }> {
  const url = `http://127.0.0.1:8080${path}`
  const script = `fetch('${url}').then(async r => ({ status: r.status, text: await r.text() }), () => ({ status: 0, text: '' })).then(a => console.log(JSON.stringify(a)))`
  return JSON.parse(await node.run([process.execPath, '-e', script])) as { status: number; text: string }
}

/** The sum of the series of that name, of those with a label such as `status="failed"` where one is told; NaN = none. */
export async function readMetric(node: LabNode, name: string, label = ''): Promise<number> {
  const { text } = await askAgent(node, '/metrics')
  const all = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const lines = all.filter(line => line.includes(label))
  if (label !== '' && lines.length === 0) return Number.NaN
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Waits until the agent has verified so many times more. */
export async function untilVerified(node: LabNode, more: number): Promise<void> {
  const series = 'kube_node_ready_verification_attempts_total'
  const before = await readMetric(node, series)
  await until(`${more} more verifications`, async () => (await readMetric(node, series)) >= before + more, {
    limitMs: 120_000,
  })
}
