import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ApiServer } from '../../cluster/api-server.ts'
import { createAll, readManifests } from '../../cluster/manifests.ts'
import { until } from '../../machine/wait.ts'
import { type LeaderBed, startLeaderBed } from '../leader/bed.ts'

const root = join(import.meta.dirname, '../../..')

export const workersPath = '/api/v1/namespaces/nopal-workers/pods'
export const claimsPath = '/apis/karpenter.sh/v1/nodeclaims'
const taint = { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' }

export function startBed(t: Test, run: string): Promise<LeaderBed> {
  return startLeaderBed(t, run, ['remedy/workers.yaml', 'remedy/delete/rights.yaml'])
}

export async function installNodeClaims({ server }: LeaderBed): Promise<void> {
  await createAll(server.admin, await readManifests(join(root, 'test/cluster/crds/karpenter-node-claims.yaml')))
}

export interface ApiObject {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly object[]
  }
}

export interface NodeObject extends ApiObject {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] }
}

export interface PodObject extends ApiObject {
  readonly spec: { readonly nodeName: string; readonly containers: readonly { readonly image: string }[] }
  readonly status: { readonly phase: string }
}

async function send<T>({ server }: LeaderBed, request: Parameters<ApiServer['send']>[0]): Promise<T> {
  const { code, body } = await server.send(request)
  if (code >= 300) throw new Error(`${request.method} ${request.path}: ${code} ${JSON.stringify(body)}`)
  return body as T
}

/** A Node with the taint of a new machine; an agent has never been heard there. */
export function addNode(bed: LeaderBed, name: string, providerID?: string): Promise<NodeObject> {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { taints: [taint], providerID } }
  return send(bed, { method: 'POST', path: '/api/v1/nodes', body })
}

/** What a node's own agent says. */
export async function say(bed: LeaderBed, node: string, status: string, reason: string): Promise<void> {
  const now = new Date().toISOString()
  const times = { lastHeartbeatTime: now, lastTransitionTime: now }
  const body = { status: { conditions: [{ type: 'nopal.io/NetworkReady', status, reason, message: '', ...times }] } }
  const contentType = 'application/strategic-merge-patch+json'
  await send(bed, { method: 'PATCH', path: `/api/v1/nodes/${node}/status`, body, contentType })
}

/** undefined = there is none. */
export async function readNode({ server }: LeaderBed, name: string): Promise<NodeObject | undefined> {
  const { code, body } = await server.send({ method: 'GET', path: `/api/v1/nodes/${name}` })
  return code === 404 ? undefined : (body as NodeObject)
}

export function untilGone(bed: LeaderBed, name: string): Promise<boolean> {
  return until(`${name} to be gone`, async () => (await readNode(bed, name)) === undefined)
}

/** So long that a leader would have deleted by then. */
export const aWhile = (): Promise<void> => sleep(4_000)

export async function isTainted(bed: LeaderBed, name: string): Promise<boolean> {
  const node = await readNode(bed, name)
  return node !== undefined && hasTaint(node)
}

export function hasTaint({ spec }: NodeObject): boolean {
  return spec.taints?.some(({ key }) => key === taint.key) ?? false
}

export async function list<T>(bed: LeaderBed, path: string): Promise<readonly T[]> {
  return (await send<{ readonly items: readonly T[] }>(bed, { method: 'GET', path })).items
}

/** The worker pods of a node, by the number of the attempt. */
export async function workersOf(bed: LeaderBed, node: string): Promise<readonly PodObject[]> {
  const all = await list<PodObject>(bed, workersPath)
  const pods = all.filter(({ metadata, spec }) => spec.nodeName === node && metadata.labels?.['nopal.io/attempt'])
  return pods.toSorted((a, b) => attemptOf(a) - attemptOf(b))
}

function attemptOf({ metadata }: PodObject): number {
  return Number(metadata.labels?.['nopal.io/attempt'])
}

export function untilWorker(bed: LeaderBed, node: string, attempt: number): Promise<PodObject> {
  const question = async () => (await workersOf(bed, node)).find(pod => attemptOf(pod) === attempt)
  return until(`worker ${attempt} of ${node}`, question, { limitMs: 60_000 })
}

/** How the container of a pod ended, as kubelet tells it. */
export interface PodEnd {
  readonly exitCode: number
  readonly reason?: string
  /** Why kubelet itself ended the pod: `DeadlineExceeded`, `Evicted`. */
  readonly podReason?: string
}

export const found = { well: { exitCode: 0, reason: 'Completed' }, failing: { exitCode: 1, reason: 'Error' } } as const

export async function endWorker(bed: LeaderBed, { metadata }: PodObject, end: PodEnd): Promise<void> {
  const { exitCode, reason = 'Error', podReason } = end
  const times = { startedAt: metadata.creationTimestamp, finishedAt: new Date().toISOString() }
  const terminated = { exitCode, reason, message: 'dns: Timeout', ...times }
  const container = { name: 'verify', image: 'i', imageID: '', ready: false, restartCount: 0, state: { terminated } }
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
  const body = { status: { phase, reason: podReason, containerStatuses: [container] } }
  const contentType = 'application/merge-patch+json'
  await send(bed, { method: 'PATCH', path: `${workersPath}/${metadata.name}/status`, body, contentType })
}

/** These workers of the node fail, one after the other. */
export async function failWorkers(bed: LeaderBed, node: string, ...attempts: readonly number[]): Promise<void> {
  for (const attempt of attempts) await endWorker(bed, await untilWorker(bed, node, attempt), found.failing)
}

/** A NodeClaim of that machine; with `heldBy` it stays while it is being deleted. */
export async function addClaim(
  bed: LeaderBed,
  name: string,
  { status, heldBy }: { readonly status?: object; readonly heldBy?: string },
): Promise<void> {
  const nodeClassRef = { group: 'karpenter.example', kind: 'Class', name: 'default' }
  const metadata = { name, finalizers: heldBy === undefined ? [] : [heldBy] }
  const spec = { nodeClassRef, requirements: [] }
  await send(bed, {
    method: 'POST',
    path: claimsPath,
    body: { apiVersion: 'karpenter.sh/v1', kind: 'NodeClaim', metadata, spec },
  })
  const contentType = 'application/merge-patch+json'
  await send(bed, { method: 'PATCH', path: `${claimsPath}/${name}/status`, body: { status }, contentType })
}

interface EventObject {
  readonly reason: string
  readonly note: string
  readonly regarding: { readonly name: string; readonly uid: string }
}

/** Notes of the Events about a Node. */
export async function notesOf(bed: LeaderBed, node: string, reason: string): Promise<readonly string[]> {
  const events = await list<EventObject>(bed, '/apis/events.k8s.io/v1/namespaces/default/events')
  return events.filter(each => each.reason === reason && each.regarding.name === node).map(({ note }) => note)
}

export function untilNote(bed: LeaderBed, node: string, reason: string): Promise<string> {
  return until(`Event ${reason} of ${node}`, async () => (await notesOf(bed, node, reason))[0], { limitMs: 60_000 })
}

/** What the leader's account has deleted: `nodes/one`. */
export async function deletions({ server }: LeaderBed): Promise<readonly string[]> {
  const lines = (await server.requests()).filter(({ verb, user }) => verb === 'delete' && user.includes('nopal-leader'))
  const machines = lines.filter(({ path, code }) => code < 300 && !path.includes('/pods/'))
  return machines.map(({ path }) => path.split('/').slice(-2).join('/'))
}

/** Everything back to nothing. */
export async function clear({ server }: LeaderBed): Promise<void> {
  for (const path of ['/api/v1/nodes', `${workersPath}?gracePeriodSeconds=0`, claimsPath])
    await server.send({ method: 'DELETE', path })
  await server.send({ method: 'DELETE', path: '/apis/events.k8s.io/v1/namespaces/default/events' })
}
