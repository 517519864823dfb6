import type { KubeEvent } from '../kube/events.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import type { DeviceView } from './classify.ts'
import {
  emptyMemory,
  type HealAction,
  type HealMemory,
  type HealPlan,
  type Held,
  noteFailure,
  planHeal,
} from './heal-plan.ts'
import { healSubjects } from './heal-subjects.ts'
import { planHoldNotices } from './hold-notices.ts'
import { describeBegun, describeEnded, describeHeld } from './incident-events.ts'
import type { MeshMap } from './mesh-map.ts'
import type { WireguardMetrics } from './metrics.ts'
import type { ResetOutcome } from './netclient.ts'
import type { Observation, Observer } from './observe.ts'
import { isBad } from './present.ts'
import type { Prover } from './prover.ts'
import type { MeshState } from './state.ts'

export interface MeshDutyOptions {
  readonly observer: Observer
  /** What the nodes publish, as it is now. */
  readonly map: () => MeshMap
  readonly mode: 'off' | 'observe' | 'heal'
  readonly prover: Prover
  /** Makes the program that owns a device forget the endpoints it has learned, one node of the cluster at a time. */
  readonly reset: (device: string, signal: AbortSignal) => Promise<ResetOutcome>
  readonly tell: (event: KubeEvent, signal: AbortSignal) => Promise<void>
  readonly onState: (state: MeshState) => void
  readonly metrics: WireguardMetrics
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
}

/** From the begin of one look to the next: a leak is to be seen within a second. */
const lookMs = 900
/**
 * A look at 1,000 peers takes some 40 ms of a CPU: where nothing is wrong it is to be no more than 1%. By their number,
 * not by how long a look took: on a busy machine every look takes long.
 */
const perPeerMs = 4
const longestMs = 5_000
/** Others want to run too, also where a look takes long. */
const restMs = 50
/** Events that wait for an API that does not answer. */
const mostUntold = 20
/** Another node resets its own program meanwhile. */
const busyMs = 4_000

/** Looks at the node's devices, again and again, and puts endpoints right that are wrong. */
export function createMeshDuty(options: MeshDutyOptions): Duty {
  return new MeshDuty(options)
}

class MeshDuty implements Duty {
  readonly name = 'wireguard'
  readonly #options: MeshDutyOptions
  #memory = emptyMemory
  #resetting = false
  #resetNotBeforeMs = 0
  #knowsTurns = true
  #lastLookMs: number | undefined
  #said = ''
  #toldHeld: readonly Held[] = []
  /** Events on their way, one after the other: no look waits for the API. */
  #untold = 0
  #telling = Promise.resolve()

  constructor(options: MeshDutyOptions) {
    this.#options = options
  }

  async reconcile(signal: AbortSignal): Promise<number | undefined> {
    const { observer, map, clock, onState, metrics, prover } = this.#options
    const beganMs = clock.monotonic()
    const known = map()
    const seen = await observer.observe(known)
    const plan = this.#plan(seen, known)
    this.#memory = plan.memory
    await this.#carryOut(plan.actions, signal)
    const { incidents } = this.#memory
    prover.follow(seen.devices, [...incidents.values()])
    metrics.recordLook(seen.devices)
    onState({ devices: seen.devices, readings: seen.readings, map: known, incidents, held: plan.held })
    this.#tell(plan, seen, signal)
    this.#lastLookMs = beganMs
    return Math.max(nextLookMs(seen.devices, incidents, beganMs) - clock.monotonic(), restMs)
  }

  async close(): Promise<void> {
    this.#options.prover.stop()
    await this.#telling
  }

  #plan(seen: Observation, map: MeshMap): HealPlan {
    const { clock, mode, random, prover } = this.#options
    const nowMs = clock.monotonic()
    const subjects = healSubjects(seen.devices, { map, fullSize: prover.proved(), nowMs })
    const answered = new Set(seen.devices.filter(({ readable }) => readable).map(({ name }) => name))
    return planHeal({ subjects, answered, memory: this.#memory, mode, nowMs, random })
  }

  async #carryOut(actions: readonly HealAction[], signal: AbortSignal): Promise<void> {
    for (const action of actions) {
      signal.throwIfAborted()
      if (action.kind === 'set') await this.#set(action)
      else this.#reset(action, signal)
    }
  }

  async #set(action: Extract<HealAction, { kind: 'set' }>): Promise<void> {
    const { observer, log, metrics } = this.#options
    const { device, publicKey, node, from, to, trouble } = action
    const fields = { device, peer: node, from, to: to.address, reason: trouble }
    try {
      await observer.move(device, publicKey, to)
      metrics.countHeal('set', 'done')
      log.warn(fields, 'endpoint put right')
    } catch (error) {
      metrics.countHeal('set', 'failed')
      this.#memory = noteFailure(this.#memory, action)
      log.warn({ ...fields, err: error }, 'endpoint could not be put right')
    }
  }

  /** Beside the looks: it waits for its turn in the cluster, and for the program to come back. */
  #reset({ device, node, reason }: Extract<HealAction, { kind: 'reset' }>, signal: AbortSignal): void {
    const { clock, reset } = this.#options
    if (this.#resetting || clock.monotonic() < this.#resetNotBeforeMs) return
    this.#resetting = true
    const fields = { device, peer: node, reason }
    reset(device, signal)
      .then(
        outcome => this.#noteReset(outcome, fields),
        err => this.#noteNoTurn(fields, err),
      )
      .finally(() => {
        this.#resetting = false
      })
  }

  #noteReset(outcome: ResetOutcome, fields: Record<string, string>): void {
    const { metrics, log } = this.#options
    const nowMs = this.#pauseResets()
    this.#knowsTurns = true
    if (outcome === 'busy') return
    metrics.countHeal('reset', outcome)
    this.#memory = { ...this.#memory, resetMs: nowMs }
    if (outcome === 'done') log.warn(fields, 'endpoint was put back at once: netclient was told to forget')
    else log.warn({ ...fields, outcome }, 'endpoint is put back at once, and nobody could be told to forget')
  }

  /** The mesh that is broken may be the way to the API: nobody was told anything, and it is tried again. */
  #noteNoTurn(fields: Record<string, string>, err: unknown): void {
    this.#pauseResets()
    if (this.#knowsTurns) this.#options.log.warn({ ...fields, err }, 'nobody says whose turn it is to reset netclient')
    this.#knowsTurns = false
  }

  /** @returns now */
  #pauseResets(): number {
    const { clock, random } = this.#options
    const nowMs = clock.monotonic()
    this.#resetNotBeforeMs = nowMs + busyMs * (1 + random())
    return nowMs
  }

  #tell(plan: HealPlan, { unlisted }: Observation, signal: AbortSignal): void {
    const { metrics, log, clock } = this.#options
    const nowMs = clock.monotonic()
    if (plan.begun.length > 0) metrics.observeDetect((nowMs - (this.#lastLookMs ?? nowMs)) / 1000)
    for (const { firstMs, provedMs } of plan.ended) metrics.observeHeal(((provedMs ?? nowMs) - firstMs) / 1000)
    for (const event of [describeBegun(plan.begun), describeEnded(plan.ended)])
      if (event !== undefined) this.#say(event, signal)
    this.#tellHeld(plan.held, signal)
    const faults = unlisted.map(fault => fault.message).join('; ')
    if (faults !== this.#said && faults !== '') log.info({}, `devices of the kernel are not seen: ${faults}`)
    this.#said = faults
  }

  #tellHeld(held: readonly Held[], signal: AbortSignal): void {
    const { notices, told } = planHoldNotices(held, this.#toldHeld, this.#memory.incidents.values())
    this.#toldHeld = told
    for (const notice of notices) {
      for (const { reason } of notice.held)
        this.#options.metrics.countHeal(reason === 'ResetTooSoon' ? 'reset' : 'set', 'held')
      this.#say(describeHeld(notice), signal)
    }
  }

  #say(event: KubeEvent, signal: AbortSignal): void {
    this.#options.log[event.type === 'Warning' ? 'warn' : 'info']({ reason: event.reason }, event.note)
    this.#send(event, signal)
  }

  #send(event: KubeEvent, signal: AbortSignal): void {
    const { tell, log } = this.#options
    if (this.#untold >= mostUntold) return
    this.#untold += 1
    this.#telling = this.#telling
      .then(() => tell(event, signal))
      .catch(err => log.warn({ err }, 'event not sent'))
      .finally(() => {
        this.#untold -= 1
      })
  }
}

/** When to look again, by the clock that never jumps: also as soon as a wrong endpoint may be put right. */
function nextLookMs(devices: readonly DeviceView[], incidents: HealMemory['incidents'], beganMs: number): number {
  const isBusy = incidents.size > 0 || devices.some(device => device.peers.some(isBad))
  if (isBusy) {
    const due = [...incidents.values()].filter(({ right, dueMs }) => right === undefined && dueMs > beganMs)
    return Math.min(beganMs + lookMs, ...due.map(({ dueMs }) => dueMs))
  }
  const peers = devices.reduce((count, device) => count + device.peers.length, 0)
  return beganMs + Math.min(Math.max(lookMs, peers * perPeerMs), longestMs)
}
