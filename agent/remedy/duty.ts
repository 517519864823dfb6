import { forEachBounded } from '../../cni/host/bounded.ts'
import { nodeRef } from '../kube/events.ts'
import { pause } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import { RemedyWrites } from './apply.ts'
import { deleteFailed, type Spared } from './delete-failed.ts'
import type { HoldReason } from './deletion-plan.ts'
import { planRemedy, type RemedyAction, type RemedyPlan } from './plan.ts'
import { RemedyError, type RemedyPorts } from './ports.ts'
import { seeNode } from './sight.ts'
import type { Worker } from './worker.ts'

/** Nobody wakes a leader for what it has not been told yet. */
const unknownMs = 1_000
/** A thousand nodes come with thousands of events: what comes together is planned for at once. */
const gatherMs = 100
/** So many writes at once, whatever there is to do. */
const width = 16

/** Verifies by worker pods, within bounds, the nodes that nobody speaks for; deletes those that fail, if it may. */
export function createRemedyDuty(ports: RemedyPorts): Duty {
  return new RemedyDuty(ports)
}

class RemedyDuty implements Duty {
  readonly name = 'remedy'
  readonly #ports: RemedyPorts
  readonly #writes: RemedyWrites
  readonly #startedMs: number
  readonly #startedTimeMs: number
  readonly #spared: Spared = new Map()
  #deletedMs: readonly number[] = []
  /** Workers whose end was told. */
  #told = new Set<string>()
  #held: HoldReason | undefined

  constructor(ports: RemedyPorts) {
    this.#ports = ports
    this.#writes = new RemedyWrites(ports)
    this.#startedMs = ports.clock.monotonic()
    this.#startedTimeMs = ports.clock.now()
  }

  async reconcile(signal: AbortSignal): Promise<number | undefined> {
    const { nodes, workers, observer, clock } = this.#ports
    await pause(clock, gatherMs, signal)
    // Half of what there is looks like nodes that are gone, and workers that were never made.
    if (!nodes.synced() || !workers.synced()) return unknownMs
    const known = this.#writes.recent.complete([...workers.values()])
    const plan = this.#plan(known)
    observer.planned(plan, known)
    await this.#tellEnds(known, signal)
    await this.#tellHold(plan, signal)
    await this.#carryOut(plan.actions, signal)
    return plan.againMs
  }

  #plan(workers: readonly Worker[]): RemedyPlan {
    const { settings, limitMs, nodes, gate, clock } = this.#ports
    const nowMs = clock.now()
    const spent = clock.monotonic()
    for (const [uid, untilMs] of this.#spared) if (untilMs <= spent) this.#spared.delete(uid)
    return planRemedy({
      ...{ settings, limitMs, workers, nowMs, ledMs: spent - this.#startedMs, spared: this.#spared },
      nodes: Array.from(nodes.values(), node => seeNode(node, gate, { deadlineMs: settings.deadlineMs, nowMs })),
      deletedAgoMs: this.#deletedMs.map(atMs => spent - atMs),
    })
  }

  async #carryOut(actions: readonly RemedyAction[], signal: AbortSignal): Promise<void> {
    const failures: unknown[] = []
    // One that is refused keeps no other back.
    await forEachBounded(actions, width, action => this.#do(action, signal).catch(error => void failures.push(error)))
    signal.throwIfAborted()
    if (failures.length === 0) return
    throw new RemedyError('WritesFailed', `${failures.length} of ${actions.length} writes failed`, failures[0])
  }

  async #do(action: RemedyAction, signal: AbortSignal): Promise<void> {
    if (action.kind !== 'delete') return this.#writes.write(action, signal)
    const onDelete = () => {
      const { clock } = this.#ports
      this.#deletedMs = [...this.#deletedMs, clock.monotonic()].slice(-this.#ports.settings.maxDeletes)
    }
    await deleteFailed({ ports: this.#ports, spared: this.#spared, onDelete }, action, signal)
  }

  /** What ended before this leader led another one has told. */
  async #tellEnds(workers: readonly Worker[], signal: AbortSignal): Promise<void> {
    const { observer, events, log } = this.#ports
    const ended = workers.filter(({ endedMs }) => endedMs !== undefined && endedMs >= this.#startedTimeMs)
    const news = ended.filter(({ uid }) => !this.#told.has(uid))
    this.#told = new Set(ended.map(({ uid }) => uid))
    for (const worker of news) {
      const { nodeName, nodeUid, name, state, words } = worker
      observer.ended(worker)
      log.info({ node: nodeName, worker: name, state, words }, 'a worker pod has ended')
      if (state !== 'failed') continue
      const note = `worker pod ${name}: ${words}`
      await events.record(
        nodeRef({ name: nodeName, uid: nodeUid }),
        { type: 'Warning', reason: 'WorkerFailed', note },
        signal,
      )
    }
  }

  /** Said once, when it begins: what everybody switches off nobody needs to be told. */
  async #tellHold({ held }: RemedyPlan, signal: AbortSignal): Promise<void> {
    const { events, log } = this.#ports
    const before = this.#held
    this.#held = held?.why
    const [first] = held?.nodes ?? []
    if (held === undefined || first === undefined || held.why === before || held.why === 'SwitchedOff') return
    const { failing, total, nodes } = held
    log.warn({ why: held.why, failing, total, nodes: nodes.length }, 'failed nodes are not deleted now')
    if (held.why !== 'TooManyFailed') return
    const note = `${failing} of ${total} nodes fail at once: it is not the nodes, none is deleted`
    await events.record(nodeRef(first.node), { type: 'Warning', reason: 'DeletionHeld', note }, signal)
  }
}
