import { type KubeApi, orAbsent } from '../kube/api.ts'
import type { Change } from '../kube/informer.ts'
import type { KubeNode } from '../kube/node.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import { effectCondition } from './effect-duty.ts'
import type { ClusterNode } from './world.ts'

/** Of a Node what rules are about. */
export function trimNode({ name, uid, podCIDRs, conditions }: KubeNode): ClusterNode {
  const said = conditions.find(({ type }) => type === effectCondition)
  if (said === undefined) return { name, uid, podCIDRs }
  const { status, reason, message } = said
  return { name, uid, podCIDRs, inEffect: { status: status === 'True' ? 'True' : 'False', reason, message } }
}

/**
 * The Node as the API server has it now.
 * @returns undefined = the server has said that there is none
 * @throws KubeError
 */
export async function readClusterNode(
  api: KubeApi,
  name: string,
  signal: AbortSignal,
): Promise<ClusterNode | undefined> {
  const node = await createNodeWriter(api, name).read(signal).catch(orAbsent)
  return node && trimNode(node)
}

/** Whether a change of a Node is one of its rules. */
export function isEgressChange({ before, after }: Change<ClusterNode>): boolean {
  return before?.uid !== after?.uid || before?.podCIDRs.join() !== after?.podCIDRs.join()
}
