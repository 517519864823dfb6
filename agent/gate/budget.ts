import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import { mostOf } from '../runtime/share.ts'
import { findMarks } from './taints.ts'

/** How many nodes there are and how many of the others carry our taint, whoever put it there. */
export interface NodeCount {
  readonly total: number
  readonly othersTainted: number
}

/** Counts nodes for the decision about the one of that uid. */
export async function countNodes(
  nodes: AsyncIterable<KubeNode>,
  uid: string,
  settings: Pick<GateSettings, 'taint' | 'label'>,
): Promise<NodeCount> {
  let total = 0
  let othersTainted = 0
  for await (const node of nodes) {
    total += 1
    if (node.uid !== uid && findMarks(node, settings).taintAt.length > 0) othersTainted += 1
  }
  return { total, othersTainted }
}

/** Whether one more node may be tainted. */
export function hasRoom({ total, othersTainted }: NodeCount, settings: Pick<GateSettings, 'maxUnavailable'>): boolean {
  return othersTainted < mostOf(total, settings.maxUnavailable)
}
