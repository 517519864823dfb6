import { type KubeNode, newerNode, parseNode } from './node.ts'
import { startWatch, type Watch, type WatchOptions } from './watch.ts'

/** The own Node, followed by a watch of this one object. */
export interface OwnNode {
  /** undefined = not known yet, or there is none. */
  current(): KubeNode | undefined
  /** Takes in what a read or a write has returned, if it is newer. */
  adopt(node: KubeNode): void
  /** Whether the API has answered and answers still. */
  live(): boolean
  stop(): Promise<void>
}

export interface OwnNodeOptions extends Omit<WatchOptions<KubeNode>, 'path' | 'query' | 'parse' | 'onChange'> {
  readonly name: string
  /** Called with each new sight of the node; undefined = there is none. */
  readonly onChange: (node: KubeNode | undefined) => void
}

/** Starts to follow the Node. */
export function followOwnNode(options: OwnNodeOptions): OwnNode {
  const { name, onChange, ...rest } = options
  let node: KubeNode | undefined
  const watch: Watch<KubeNode> = startWatch({
    ...rest,
    path: '/api/v1/nodes',
    query: { fieldSelector: `metadata.name=${name}` },
    parse: parseNode,
    onChange(nodes) {
      const seen = nodes.get(name)
      node = seen && newerNode(node, seen)
      onChange(node)
    },
  })
  return {
    current: () => node,
    adopt(come) {
      node = newerNode(node, come)
      onChange(node)
    },
    live: () => watch.live(),
    stop: () => watch.stop(),
  }
}
