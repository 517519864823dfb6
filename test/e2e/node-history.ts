import { type ApiTarget, type OpenWatch, openWatch, sendRequest } from '../cluster/api-client.ts'
import type { NodeObject } from '../lab/objects.ts'
import { type Standing, standingOf } from './objects.ts'

/** One state of a node that the API server has had. */
export interface NodeSight extends Standing {
  readonly name: string
  readonly version: string
}

interface WatchedNode extends NodeObject {
  readonly metadata: NodeObject['metadata'] & { readonly resourceVersion: string }
}

const path = '/api/v1/nodes'

/** Every state that the nodes go through, from the moment it is opened: a watch misses none. */
export class NodeHistory {
  readonly #api: ApiTarget
  readonly #sights: NodeSight[] = []
  #version: string
  #watch: OpenWatch | undefined
  #lost: Error | undefined
  #closed = false

  private constructor(api: ApiTarget, version: string) {
    this.#api = api
    this.#version = version
  }

  static async open(api: ApiTarget): Promise<NodeHistory> {
    const { body } = await sendRequest(api, { method: 'GET', path })
    const list = body as { metadata: { resourceVersion: string }; items: readonly WatchedNode[] }
    const history = new NodeHistory(api, list.metadata.resourceVersion)
    for (const node of list.items) history.#note(node)
    void history.#follow()
    return history
  }

  /** The states of one node so far, oldest first. */
  of(node: string): readonly NodeSight[] {
    if (this.#lost !== undefined) throw this.#lost
    return this.#sights.filter(sight => sight.name === node)
  }

  /** Ends it without waiting: a stream that is destroyed does not always say so to who reads it. */
  close(): void {
    this.#closed = true
    this.#watch?.close()
  }

  /** A watch that was cut, or silent for long, is opened again where it was; one that cannot be is the end. */
  async #follow(): Promise<void> {
    try {
      while (!this.#closed) {
        this.#watch = await openWatch(this.#api, `${path}?watch=true&resourceVersion=${this.#version}`)
        await this.#read(this.#watch)
      }
    } catch (error) {
      if (!this.#closed) this.#lost = new Error('the history of the nodes has a gap', { cause: error })
    }
  }

  async #read(watch: OpenWatch): Promise<void> {
    for (let line = await nextLine(watch); line !== undefined; line = await nextLine(watch)) {
      if (line.type === 'ERROR') throw new Error(`the watch of nodes ended: ${JSON.stringify(line.object)}`)
      this.#note(line.object as unknown as WatchedNode)
    }
  }

  #note(node: WatchedNode): void {
    this.#version = node.metadata.resourceVersion
    this.#sights.push({ ...standingOf(node), name: node.metadata.name, version: this.#version })
  }
}

function nextLine(watch: OpenWatch): ReturnType<OpenWatch['next']> {
  return watch.next().catch(() => undefined)
}
