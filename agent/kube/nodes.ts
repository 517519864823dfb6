import { type KubeApi, KubeError } from './api.ts'
import { type KubeNode, parseNode } from './node.ts'
import { parseList } from './watch-events.ts'

/** A Node is some 10 kB: one page at a time is all that is held. */
const pageSize = '200'
const mostPages = 100

/**
 * Hands out every Node as the API has it now, not as a cache had it.
 * @throws KubeError also for a Node that cannot be read: who counts must not count wrong
 */
export async function* listNodes(api: KubeApi, signal: AbortSignal): AsyncGenerator<KubeNode> {
  let next: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const query = { limit: pageSize, ...(next === undefined ? {} : { continue: next }) }
    const page = parseList(await api.request({ method: 'GET', path: '/api/v1/nodes', query, signal }))
    for (const { body, key } of page.objects) {
      const node = parseNode(body)
      if (node === undefined) throw new KubeError('BadReply', `${key} in the list of nodes is no Node`)
      yield node
    }
    if (page.next === undefined) return
    next = page.next
  }
  throw new KubeError('BadReply', `the list of nodes has more than ${mostPages} pages`)
}
