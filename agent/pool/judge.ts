import type { PoolSettings } from '../config/settings.ts'
import type { PoolNode } from './pool-node.ts'
import type { CloudServer } from './server.ts'

/**
 * What is to become of an address: `add` = it belongs into the pool; `keep` = it stays where it is, and does not come;
 * `miss` = it goes if that lasts; `remove` = it goes.
 */
export type Wish = 'add' | 'keep' | 'miss' | 'remove'

/** What the servers and their Nodes say of one address. */
export interface Judged {
  readonly wish: Wish
  readonly server: number
}

const order: readonly Wish[] = ['add', 'keep', 'miss', 'remove']

/** Every address of the families that are asked for, by its block. One that two servers show goes by the better word. */
export function judge(
  servers: readonly CloudServer[],
  nodes: ReadonlyMap<number, PoolNode>,
  settings: Pick<PoolSettings, 'nodes' | 'ipFamilies'>,
): ReadonlyMap<string, Judged> {
  const judged = new Map<string, Judged>()
  for (const server of servers) {
    const ofServer = wishFor(server, nodes.get(server.id), settings.nodes)
    const asked = server.addresses.filter(({ family }) => settings.ipFamilies.includes(family))
    for (const { block, blocked } of asked) {
      const one = { wish: blocked ? 'remove' : ofServer, server: server.id }
      judged.set(block, better(judged.get(block), one))
    }
  }
  return judged
}

function better(known: Judged | undefined, one: Judged): Judged {
  return known === undefined || order.indexOf(one.wish) < order.indexOf(known.wish) ? one : known
}

function wishFor({ status }: CloudServer, node: PoolNode | undefined, asked: PoolSettings['nodes']): Wish {
  if (status === 'deleting') return 'remove'
  // An address exists while its server is off or still being made.
  const ofServer = status === 'running' ? 'add' : 'miss'
  if (asked === 'any') return ofServer
  if (node === undefined) return 'miss'
  return order[Math.max(order.indexOf(ofServer), order.indexOf(wishOfNode(node, asked)))] ?? 'keep'
}

function wishOfNode(node: PoolNode, asked: Exclude<PoolSettings['nodes'], 'any'>): Wish {
  if (node.leaving) return 'remove'
  // A Service's port would stand before the API server's own.
  if (node.controlPlane) return 'keep'
  if (asked === 'known') return 'add'
  if (node.cordoned) return 'remove'
  // Its own agent says so, and says it at once; kubelet's silence may be the API server's.
  if (asked === 'verified' && !node.verified) return 'remove'
  return node.ready ? 'add' : 'miss'
}
