import { type KubeApi, KubeError } from '../kube/api.ts'
import { nodeRef } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import type { Deletion } from './deletion-plan.ts'
import { deleteNodeClaim, findNodeClaim, type NodeClaim, NodeClaimError } from './node-claims.ts'
import type { RemedyPorts } from './ports.ts'
import { seeNode } from './sight.ts'

/** Nodes that are not deleted until a time of the clock that never jumps, by UID. */
export type Spared = Map<string, number>

export interface DeleteOptions {
  readonly ports: RemedyPorts
  readonly spared: Spared
  /** Called before a deletion is sent: one whose answer is lost counts, too. */
  readonly onDelete: () => void
}

/** Who cannot be told from a NodeClaim's node now may be later. */
const doubtMs = 60_000

/**
 * Deletes what stands for a machine that has failed, after a last look at the Node itself: the NodeClaim, or the Node
 * where there certainly is none.
 * @throws KubeError where the Node cannot be read, or the deletion is refused
 */
export async function deleteFailed(
  { ports, spared, onDelete }: DeleteOptions,
  { sight, worker }: Deletion,
  signal: AbortSignal,
): Promise<void> {
  const { api, clock, log } = ports
  const spare = (forMs: number) => spared.set(sight.node.uid, clock.monotonic() + forMs)
  const node = await createNodeWriter(api, sight.node.name).read(signal)
  if (!isStillFailed(ports, node, sight.node.uid)) return void spare(doubtMs)
  const found = await findClaim(ports, node, signal)
  if (found === 'unknown') return void spare(doubtMs)
  if (found?.going) {
    log.info({ node: node.name, nodeClaim: found.name }, 'its NodeClaim is being deleted already')
    return void spare(Number.POSITIVE_INFINITY)
  }
  onDelete()
  await carryOut(ports, { node, claim: found }, signal)
  spare(Number.POSITIVE_INFINITY)
  const what = found === undefined ? 'Node' : 'NodeClaim'
  const note = `${worker.failures + 1} worker pods have found the network failing, the last: ${worker.words}`
  log.warn({ node: node.name, uid: node.uid, nodeClaim: found?.name, note }, `the failed node's ${what} is deleted`)
  await ports.events.record(nodeRef(node), { type: 'Warning', reason: `${what}Deleted`, note }, signal)
}

/** The plan was made of what a watch had told. */
function isStillFailed({ gate, settings, clock }: RemedyPorts, node: KubeNode, uid: string): boolean {
  const { tainted, agent } = seeNode(node, gate, { deadlineMs: settings.deadlineMs, nowMs: clock.now() })
  return node.uid === uid && tainted && (agent === 'none' || agent === 'wanted')
}

async function findClaim(
  { api, log, events }: RemedyPorts,
  node: KubeNode,
  signal: AbortSignal,
): Promise<NodeClaim | 'unknown' | undefined> {
  try {
    return await findNodeClaim(api, node, signal)
  } catch (error) {
    if (signal.aborted || !(error instanceof KubeError || error instanceof NodeClaimError)) throw error
    log.warn({ node: node.name, err: error }, 'nobody knows whether a NodeClaim stands for it: the node is not deleted')
    const note = `nobody knows whether a NodeClaim stands for the node (${error.code}): it is not deleted`
    await events.record(nodeRef(node), { type: 'Warning', reason: 'DeletionHeld', note }, signal)
    return 'unknown'
  }
}

interface Target {
  readonly node: KubeNode
  readonly claim: NodeClaim | undefined
}

async function carryOut({ api, observer }: RemedyPorts, { node, claim }: Target, signal: AbortSignal): Promise<void> {
  const kind = claim === undefined ? 'Node' : 'NodeClaim'
  try {
    await (claim === undefined ? deleteNode(api, node, signal) : deleteNodeClaim(api, claim, signal))
  } catch (error) {
    observer.deleted(node.name, kind, false)
    throw error
  }
  observer.deleted(node.name, kind, true)
}

/** Not if it is another, nor if anybody has changed it since it was looked at. */
async function deleteNode(api: KubeApi, { name, uid, resourceVersion }: KubeNode, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  await api.request({ method: 'DELETE', path, body: { preconditions: { uid, resourceVersion } }, signal })
}
