import { type KubeApi, KubeError } from './api.ts'
import { listPages } from './list.ts'
import { type KubeNode, parseNode } from './node.ts'
import type { RawObject } from './watch-events.ts'

/**
 * Hands out every Node as the API has it now, not as a cache had it.
 * @throws KubeError also for a Node that cannot be read: who counts must not count wrong
 */
export async function* listNodes(api: KubeApi, signal: AbortSignal): AsyncGenerator<KubeNode> {
  for await (const { values } of listPages({ api, path: '/api/v1/nodes', signal, read: checked })) yield* values
}

function checked({ body, key }: RawObject): KubeNode {
  const node = parseNode(body)
  if (node === undefined) throw new KubeError('BadReply', `${key} in the list of nodes is no Node`)
  return node
}
