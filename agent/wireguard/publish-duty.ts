import { KubeError } from '../kube/api.ts'
import { newerOf } from '../kube/node.ts'
import type { NodeNetwork } from '../kube/node-network.ts'
import type { NetworkOwner, NodeNetworkWriter } from '../kube/node-network-writer.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { type PublishAction, planPublication, type Wish } from './publish-plan.ts'

export interface PublishDutyOptions {
  /** The own Node; undefined = it is not known. */
  readonly owner: () => NetworkOwner | undefined
  /** What the watch has of the own NodeNetwork; false = it has not told yet what there is. */
  readonly seen: () => NodeNetwork | undefined | false
  /** undefined = there is nothing to say yet. */
  readonly wish: () => Promise<Wish | undefined>
  readonly writer: NodeNetworkWriter
  readonly clock: Clock
  readonly log: Logger
}

/** A cluster whose administrator has not applied the definition may get it later. */
const undefinedMs = 5 * 60_000
/** A watch tells of our own write a little later. */
const unseenMs = 5_000

/** Publishes this node's part in the mesh. Run it when anything of that changes; it writes only what differs. */
export function createPublishDuty(options: PublishDutyOptions): Duty {
  return new PublishDuty(options)
}

class PublishDuty implements Duty {
  readonly name = 'node-network'
  readonly #options: PublishDutyOptions
  #own: NodeNetwork | undefined
  #writtenMs = Number.NEGATIVE_INFINITY
  #wish = { text: '', sinceMs: 0 }
  #isDefined = true

  constructor(options: PublishDutyOptions) {
    this.#options = options
  }

  async reconcile(signal: AbortSignal): Promise<number | undefined> {
    const { owner, seen, wish, clock } = this.#options
    const [node, known, wanted] = [owner(), seen(), await wish()]
    if (node === undefined || known === false || wanted === undefined) return undefined
    const nowMs = clock.monotonic()
    if (known !== undefined) this.#own = newerOf(this.#own, known)
    // Somebody has removed it.
    else if (nowMs - this.#writtenMs > unseenMs) this.#own = undefined
    const ageMs = nowMs - this.#note(wanted, nowMs)
    const plan = planPublication({ known: this.#own, wish: wanted, owner: node.uid, ageMs, nowMs: clock.now() })
    return plan.action === undefined ? plan.againMs : this.#write(node, plan.action, signal)
  }

  /** @returns since when the wish has been what it is */
  #note(wish: Wish, nowMs: number): number {
    const text = JSON.stringify(wish)
    if (text !== this.#wish.text) this.#wish = { text, sinceMs: nowMs }
    return this.#wish.sinceMs
  }

  async #write(node: NetworkOwner, action: PublishAction, signal: AbortSignal): Promise<number | undefined> {
    const { writer, clock, log } = this.#options
    try {
      this.#own = await send(writer, node, action, signal)
      this.#writtenMs = clock.monotonic()
      this.#isDefined = true
      // There may be more to write.
      return 0
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== 'NotFound') throw error
      if (this.#isDefined) log.warn({}, 'NodeNetwork is not defined in this cluster: no agent knows of the others')
      this.#isDefined = false
      return undefinedMs
    }
  }
}

function send(writer: NodeNetworkWriter, node: NetworkOwner, action: PublishAction, signal: AbortSignal) {
  if (action.kind === 'create') return writer.create(node, action.spec, signal)
  if (action.kind === 'spec') return writer.setSpec(node, action.spec, signal)
  return writer.setStatus(node, action.status, signal)
}
