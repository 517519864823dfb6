import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { SandboxError } from './errors.ts'
import type { StandingSandbox } from './standing.ts'

/** What there is of the standing sandbox. */
export interface StandingState {
  /** Where others reach it; none = there is none. */
  readonly addresses: readonly string[]
  /** For people. */
  readonly message: string
}

/** What the duty needs. */
export interface StandingDutyOptions {
  /** Whether there shall be one now; undefined = it is too early to say. */
  wanted(): boolean | undefined
  /** Makes one and keeps it until the work ends: `withStanding`. */
  hold(signal: AbortSignal, work: (standing: StandingSandbox) => Promise<void>): Promise<void>
  /**
   * The network that the node has now, as `StandingSandbox.network` has it.
   * @throws SandboxError where there is none
   */
  network(): Promise<string>
  /** Whether the node itself reaches that address of the standing sandbox. */
  answers(address: string, signal: AbortSignal): Promise<boolean>
  onState(state: StandingState): void
  readonly clock: Clock
  readonly log: Logger
}

const lookMs = 10_000
/** Each try costs some processes, and the verifications say already what is wrong. */
const retryMs = 30_000
/** Rights do not come by themselves. */
const rightsMs = 10 * 60_000
/** Once it has answered, so many questions in a row without an answer mean that nobody else reaches it either. */
const mostSilent = 3

/**
 * Keeps one standing sandbox. It is made anew when the network of the node is another one, or when a network that did
 * carry packets to it does so no more. Run it when something of that may have changed.
 */
export function createStandingDuty(options: StandingDutyOptions): Duty {
  return new StandingDuty(options)
}

interface Held {
  readonly standing: StandingSandbox
  /** Gives it back. */
  release(): Promise<void>
  answered: boolean
  silent: number
}

class StandingDuty implements Duty {
  readonly name = 'standing-sandbox'
  readonly #options: StandingDutyOptions
  #held: Held | undefined
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #failedOn = ''
  #said = ''

  constructor(options: StandingDutyOptions) {
    this.#options = options
  }

  async reconcile(signal: AbortSignal): Promise<number | undefined> {
    const wanted = this.#options.wanted()
    if (wanted === undefined) return undefined
    if (!wanted) {
      await this.close()
      this.#options.onState({ addresses: [], message: 'none' })
      return undefined
    }
    const network = await this.#options.network().catch(error => this.#refused(error, ''))
    if (typeof network === 'number') return network
    if (this.#held !== undefined && (await this.#isGood(this.#held, network, signal))) return lookMs
    await this.close()
    const waitMs = this.#notBeforeMs - this.#options.clock.monotonic()
    return waitMs > 0 && network === this.#failedOn ? waitMs : this.#build(network, signal)
  }

  async close(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    await held?.release()
  }

  async #build(network: string, signal: AbortSignal): Promise<number> {
    const { hold, log, onState } = this.#options
    const { promise: up, resolve, reject } = Promise.withResolvers<StandingSandbox>()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const whole = hold(signal, standing => {
      resolve(standing)
      return released
    }).catch(reject)
    try {
      const standing = await up
      const end = () => {
        release()
        return whole
      }
      this.#held = { standing, release: end, answered: false, silent: 0 }
      const { name, addresses } = standing
      log.info({ network: name, addresses }, 'standing sandbox attached')
      onState({ addresses, message: `${addresses.join(', ')} on network ${name}` })
      this.#said = ''
      return lookMs
    } catch (error) {
      await whole
      signal.throwIfAborted()
      return this.#refused(error, network)
    }
  }

  #refused(error: unknown, network: string): number {
    const { log, clock, onState } = this.#options
    if (!(error instanceof SandboxError)) throw error
    // Who has one keeps it while there is no network: a file that is being written is none either.
    if (this.#held !== undefined) return lookMs
    const { message, code } = error
    const waitMs = code === 'NoSandbox' ? rightsMs : retryMs
    this.#failedOn = network
    this.#notBeforeMs = clock.monotonic() + waitMs
    if (message !== this.#said) log.info({ reason: code, err: error }, 'no standing sandbox')
    this.#said = message
    onState({ addresses: [], message: `none: ${message}` })
    return waitMs
  }

  async #isGood(held: Held, network: string, signal: AbortSignal): Promise<boolean> {
    const { answers, log } = this.#options
    if (network !== held.standing.network) {
      log.info({}, "the node's network is another one: the standing sandbox is made anew")
      return false
    }
    const [address] = held.standing.addresses
    if (address === undefined) return true
    const answered = await answers(address, signal)
    held.silent = answered ? 0 : held.silent + 1
    held.answered ||= answered
    if (!held.answered || held.silent < mostSilent) return true
    log.warn({ address }, 'the standing sandbox answers no more: it is made anew')
    return false
  }
}
