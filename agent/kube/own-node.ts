import { type InformerOptions, startInformer } from './informer.ts'
import { type KubeNode, newerOf, parseNode } from './node.ts'

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

export interface OwnNodeOptions extends Omit<InformerOptions<KubeNode>, 'path' | 'query' | 'parse'> {
  readonly name: string
  /** Called with each new sight of the node; undefined = there is none. */
  readonly onChange: (node: KubeNode | undefined) => void
}

/** Starts to follow the Node. */
export function followOwnNode(options: OwnNodeOptions): OwnNode {
  const { name, onChange, ...rest } = options
  let node: KubeNode | undefined
  const query = { fieldSelector: `metadata.name=${name}` }
  const informer = startInformer({ ...rest, path: '/api/v1/nodes', query, parse: parseNode })
  informer.subscribe(() => {
    const seen = informer.get(name)
    node = seen && newerOf(node, seen)
    onChange(node)
  })
  return {
    current: () => node,
    adopt(come) {
      node = newerOf(node, come)
      onChange(node)
    },
    live: () => informer.live(),
    stop: () => informer.stop(),
  }
}
