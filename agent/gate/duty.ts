import type { GateSettings } from '../config/settings.ts'
import { isNotFound, type KubeApi } from '../kube/api.ts'
import { type EventRecorder, nodeRef } from '../kube/events.ts'
import type { Lease } from '../kube/lease.ts'
import type { KubeNode } from '../kube/node.ts'
import { isStale, type NodeWriter } from '../kube/node-writer.ts'
import { type BackoffLimits, backoffMs } from '../runtime/backoff.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import type { NodeVerdict } from './board.ts'
import { countNodes, type NodeCount } from './budget.ts'
import { refuse } from './close.ts'
import { type GateHistory, noHistory } from './history.ts'
import { type GateAction, type GatePlan, type Hold, planGate } from './plan.ts'

/** The newest sight of the own Node. */
export interface NodeSight {
  current(): KubeNode | undefined
  /** Hands in what a read or a write has returned. */
  adopt(node: KubeNode): void
}

type GateMarks = Extract<GateAction, { kind: 'marks' }>

/** What happened to our taint and label, for metrics. */
export interface MarksWrite {
  readonly taint: GateMarks['taint']
  readonly ok: boolean
  readonly seconds: number
}

export interface GateDutyOptions {
  readonly settings: GateSettings
  readonly sight: NodeSight
  readonly verdict: () => NodeVerdict | undefined
  /** What holds the lift up; absent = nothing ever does. */
  readonly hold?: () => Hold | undefined
  readonly writer: NodeWriter
  /** What tainting a node again needs; absent = this gate only opens. */
  readonly closing?: ClosingPorts
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Logger
  readonly onWrite: (write: MarksWrite) => void
}

/** How the gate keeps to its bound when it taints a node. */
export interface ClosingPorts {
  /** Only one agent at a time counts and taints: two at once could both find the last room. */
  readonly lease: Lease
  /** Writes to the Node no longer than the Lease is ours: this process may have been paused since it counted. */
  writer(api: KubeApi): NodeWriter
  /** All Nodes as the API has them now. */
  nodes(signal: AbortSignal): AsyncIterable<KubeNode>
  /** Has the checks run once more, for a decision that waits for it. */
  verify(): void
}

/** Another agent holds the Lease for some hundred milliseconds. */
const leaseBusyMs = 1_000

/** How a plan is carried out, and for how long. */
interface WayToNode {
  readonly writer: NodeWriter
  readonly signal: AbortSignal
}

/** How one plan went. */
interface Step {
  /** What the server said to a plan that did not fit any more. */
  readonly refusal: unknown
  readonly againMs: number | undefined
}

/** Others write to Nodes too: a plan that came too late is made once more at once, then after pauses that grow. */
const plansAtOnce = 2
const pauses: BackoffLimits = { leastMs: 500, mostMs: 10_000 }

/** Somebody changes the Node faster than we can read and write it, or something refuses every write. */
export class GateContendedError extends Error {
  override readonly name = 'GateContendedError'
  readonly code = 'GateContended'
  /** What wakes the gate, such as its own reading of the node, does not cut this wait. */
  readonly retryAfterMs: number

  constructor(cause: unknown, retryAfterMs: number) {
    super(`the node changed ${plansAtOnce} times while it was written to`, { cause })
    this.retryAfterMs = retryAfterMs
  }
}

/** Makes the Node show its verdict: taint, label, condition, Events. Run it when the Node or the verdict changes. */
export function createGateDuty(options: GateDutyOptions): Duty {
  return new GateDuty(options)
}

class GateDuty implements Duty {
  readonly name = 'gate'
  readonly #options: GateDutyOptions
  #history: GateHistory = noHistory
  #historyOf: string | undefined
  /** What a dry run would have done last, so that it is said once. */
  #lastWish = ''
  /** Runs in a row of which every plan came too late. */
  #contended = 0

  constructor(options: GateDutyOptions) {
    this.#options = options
  }

  async reconcile(signal: AbortSignal): Promise<number | undefined> {
    let refusal: unknown
    for (let plans = 1; plans <= plansAtOnce; plans++) {
      const node = this.#options.sight.current()
      if (node === undefined) return undefined
      const plan = this.#plan(node)
      if (this.#options.settings.dryRun) return this.#tell(plan)
      const step = await this.#step(node, plan, signal)
      if (step.refusal === undefined) {
        this.#contended = 0
        return step.againMs
      }
      refusal = step.refusal
    }
    this.#contended += 1
    throw new GateContendedError(
      refusal,
      backoffMs(this.#contended, pauses, () => 1),
    )
  }

  async #step(node: KubeNode, plan: GatePlan, signal: AbortSignal): Promise<Step> {
    const refusal = await this.#carryOut(node, plan, { signal, writer: this.#options.writer })
    if (refusal !== undefined) return { refusal, againMs: undefined }
    if (plan.asks === 'run') this.#options.closing?.verify()
    return plan.asks === 'count' ? await this.#shut(node.uid, signal) : { refusal, againMs: plan.againMs }
  }

  /** Taints the node if there is room for one more, with all others kept from doing the same meanwhile. */
  async #shut(uid: string, signal: AbortSignal): Promise<Step> {
    const { closing, settings, sight } = this.#options
    if (closing === undefined) return { refusal: undefined, againMs: undefined }
    const held = await closing.lease.hold(signal, async term => {
      const count = await countNodes(closing.nodes(term.signal), uid, settings)
      const node = sight.current()
      if (node?.uid !== uid) return undefined
      const plan = this.#plan(node, count)
      if (!plan.actions.some(action => action.kind === 'marks')) this.#noteFull(count)
      return this.#carryOut(node, plan, { signal: term.signal, writer: closing.writer(term.api) })
    })
    return held === undefined
      ? { refusal: undefined, againMs: leaseBusyMs }
      : { refusal: held.result, againMs: undefined }
  }

  #noteFull(count: NodeCount): void {
    const refusal = refuse(this.#history.refusal, this.#options.clock.now())
    this.#history = { ...this.#history, refusal }
    this.#options.log.warn({ ...count, waitMs: refusal.waitMs }, 'as many nodes are tainted as may be, this one is not')
  }

  /** @returns the server's refusal if the plan did not fit any more; then the node has been read again */
  async #carryOut(node: KubeNode, plan: GatePlan, way: WayToNode): Promise<unknown> {
    try {
      await this.#apply(node, plan.actions, way)
      return undefined
    } catch (error) {
      // Gone: the watch will tell, and there is nobody to write to until then.
      if (isNotFound(error)) return undefined
      if (!isStale(error)) throw error
      this.#options.log.debug({ err: error }, 'the node has changed, plans again')
      this.#options.sight.adopt(await way.writer.read(way.signal))
      return error
    }
  }

  #plan(node: KubeNode, count?: NodeCount): GatePlan {
    const { settings, clock } = this.#options
    const verdict = this.#options.verdict()
    if (this.#historyOf !== node.uid) this.#history = { ...noHistory, knownMs: clock.now() }
    else if (verdict?.verdict.passed === true) this.#history = { ...this.#history, refusal: undefined }
    this.#historyOf = node.uid
    return planGate({
      node,
      verdict,
      count,
      hold: this.#options.hold?.(),
      settings,
      history: this.#history,
      nowMs: clock.now(),
    })
  }

  async #apply(node: KubeNode, actions: readonly GateAction[], way: WayToNode): Promise<void> {
    const { sight, events } = this.#options
    const { writer, signal } = way
    for (const action of actions) {
      signal.throwIfAborted()
      if (action.kind === 'marks') await this.#mark(node.uid, action, way)
      else if (action.kind === 'condition') sight.adopt(await writer.setCondition(node.uid, action.condition, signal))
      else await events.record(nodeRef(node), action.event, signal)
    }
  }

  async #mark(uid: string, action: GateMarks, { writer, signal }: WayToNode): Promise<void> {
    const { sight, clock, log, onWrite } = this.#options
    const { taint } = action
    const startedMs = clock.monotonic()
    const tell = (ok: boolean) => onWrite({ taint, ok, seconds: (clock.monotonic() - startedMs) / 1000 })
    try {
      sight.adopt(await writer.patch(uid, action.steps, signal))
    } catch (error) {
      if (!isStale(error)) tell(false)
      throw error
    }
    this.#history = { ...this.#history, [taint === 'add' ? 'taintedMs' : 'openedMs']: clock.now() }
    tell(true)
    if (taint === 'add') log.warn({ reason: action.why }, done.add)
    else log.info({ reason: action.why }, done[taint])
  }

  #tell(plan: GatePlan): undefined {
    const shut = plan.asks === 'count' ? [wishes.add] : []
    const wish = [...plan.actions.map(describeAction), ...shut].join('; ')
    if (wish !== '' && wish !== this.#lastWish) this.#options.log.info({ wish }, 'dry run, nothing is written')
    this.#lastWish = wish
    return undefined
  }
}

const done: Readonly<Record<GateMarks['taint'], string>> = {
  lift: 'taint lifted, node labelled',
  keep: 'node labelled',
  add: 'node tainted again, label taken off',
}

const wishes: Readonly<Record<GateMarks['taint'], string>> = {
  lift: 'lift the taint and set the label',
  keep: 'set the label',
  add: 'taint the node again if max-unavailable allows, and take the label off',
}

/** An action in words, for a dry run. */
function describeAction(action: GateAction): string {
  switch (action.kind) {
    case 'marks':
      return wishes[action.taint]
    case 'condition':
      return `set the condition to ${action.condition.status} ${action.condition.reason}`
    case 'event':
      return `send the event ${action.event.reason}`
  }
}
