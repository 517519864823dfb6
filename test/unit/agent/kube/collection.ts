import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import type { KubeStreams, StreamRequest } from '../../../../agent/kube/client.ts'
import { handOut } from './hand-out.ts'
import { bookmark, errorLine, event, item } from './scripted-api.ts'

/** An API with one collection of numbers, as a server keeps it: pages of one moment, changes since a revision. */
export class Collection implements KubeApi, KubeStreams {
  readonly server = 'https://192.0.2.1'
  readonly requests: KubeRequest[] = []
  readonly #values = new Map<string, { readonly revision: number; readonly value: number }>()
  #history: { readonly revision: number; readonly line: string }[] = []
  #revision = 1
  #forgotten = 0
  readonly #snapshots = new Map<string, Map<string, { readonly revision: number; readonly value: number }>>()
  readonly #streams = new Set<(line: string | Error) => void>()

  get state(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#values].map(([key, { value }]) => [key, value]).sort())
  }

  get streams(): number {
    return this.#streams.size
  }

  set(name: string, value: number): void {
    this.#revision += 1
    const type = this.#values.has(name) ? 'MODIFIED' : 'ADDED'
    this.#values.set(name, { revision: this.#revision, value })
    this.#send(event(type, item(name, String(this.#revision), value)))
  }

  remove(name: string): void {
    const known = this.#values.get(name)
    if (known === undefined) return
    this.#revision += 1
    this.#values.delete(name)
    this.#send(event('DELETED', item(name, String(this.#revision), known.value)))
  }

  /** The connections of all watches break. */
  cut(): void {
    for (const send of this.#streams) send(new KubeError('Unreachable', 'cut'))
    this.#streams.clear()
  }

  /** Nothing older than now is known any more: neither to watches nor to lists that are under way. */
  forget(): void {
    this.#forgotten = this.#revision
    this.#history = []
    this.#snapshots.clear()
  }

  async request(request: KubeRequest): Promise<unknown> {
    this.requests.push(request)
    const { limit, continue: token } = request.query ?? {}
    const [revision = String(this.#revision), from = '0'] = token?.split('/') ?? []
    if (token === undefined) this.#snapshots.set(revision, new Map(this.#values))
    const all = this.#snapshots.get(revision)
    if (all === undefined) throw new KubeError('Gone', 'too old', { status: 410 })
    const end = Number(from) + Number(limit)
    const items = [...all].slice(Number(from), end).map(([name, it]) => item(name, String(it.revision), it.value))
    const more = end < all.size ? { continue: `${revision}/${end}` } : {}
    return handOut(request, { metadata: { resourceVersion: revision, ...more }, items })
  }

  async stream({ query, signal }: StreamRequest): Promise<AsyncIterable<string>> {
    const from = Number(query.resourceVersion)
    const queue: (string | Error)[] =
      from < this.#forgotten ? [errorLine(410)] : this.#history.filter(it => it.revision > from).map(it => it.line)
    let wake: () => void = () => undefined
    const send = (line: string | Error) => {
      queue.push(line)
      wake()
    }
    const leave = () => send(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    this.#streams.add(send)
    queue.push(bookmark(query.resourceVersion ?? ''))
    const waiting = () => new Promise<void>(resolve => (wake = resolve))
    const streams = this.#streams
    return (async function* () {
      for (;;) {
        const line = queue.shift()
        if (line instanceof Error) {
          streams.delete(send)
          throw line
        }
        if (line === undefined) await waiting()
        else yield line
      }
    })()
  }

  #send(line: string): void {
    this.#history.push({ revision: this.#revision, line })
    for (const send of this.#streams) send(line)
  }
}
