import type { DeviceView } from './classify.ts'
import { type Incident, keyOf } from './heal-plan.ts'

/**
 * Sends a packet of full size to the other agent at an address, again if it seems lost, until it is answered.
 * @throws when the signal fires first
 */
export type SendFullSize = (address: string, signal: AbortSignal) => Promise<void>

/**
 * Has peers that were put right prove themselves. What is sent also makes WireGuard shake hands with a peer that has
 * nothing to say.
 */
export interface Prover {
  /** Starts what is wanted now, and gives up the rest. */
  follow(devices: readonly DeviceView[], incidents: readonly Incident[]): void
  /** The peers that a packet of full size came through to since they were put right. */
  proved(): ReadonlySet<string>
  stop(): void
}

const attemptMs = 5_000
/** A cluster full of leaks is proved a few peers at a time. */
const mostAtOnce = 16

interface Attempt {
  /** When the endpoint was put right that it is about. */
  readonly rightMs: number
  readonly ending: AbortController
}

export function createProver(send: SendFullSize): Prover {
  return new SendingProver(send)
}

class SendingProver implements Prover {
  readonly #send: SendFullSize
  readonly #running = new Map<string, Attempt>()
  /** By peer, when the endpoint was put right with which it has proved itself. */
  readonly #proved = new Map<string, number>()

  constructor(send: SendFullSize) {
    this.#send = send
  }

  follow(devices: readonly DeviceView[], incidents: readonly Incident[]): void {
    const wanted = new Map<string, number>()
    for (const each of incidents) if (each.right !== undefined) wanted.set(keyOf(each), each.right.atMs)
    this.#giveUp(wanted)
    for (const [key, rightMs] of wanted) {
      if (this.#running.size >= mostAtOnce) return
      if (this.#running.has(key) || this.#proved.has(key)) continue
      const address = addressOf(devices, key)
      if (address !== undefined) this.#start(key, rightMs, address)
    }
  }

  proved(): ReadonlySet<string> {
    return new Set(this.#proved.keys())
  }

  stop(): void {
    this.#giveUp(new Map())
  }

  /** What was put right at another time, or is not wanted at all. */
  #giveUp(wanted: ReadonlyMap<string, number>): void {
    for (const [key, { rightMs, ending }] of this.#running) if (wanted.get(key) !== rightMs) ending.abort()
    for (const [key, rightMs] of this.#proved) if (wanted.get(key) !== rightMs) this.#proved.delete(key)
  }

  #start(key: string, rightMs: number, address: string): void {
    const ending = new AbortController()
    this.#running.set(key, { rightMs, ending })
    this.#send(address, AbortSignal.any([ending.signal, AbortSignal.timeout(attemptMs)]))
      .then(() => {
        if (!ending.signal.aborted) this.#proved.set(key, rightMs)
      })
      // No answer: the next look tries again.
      .catch(() => undefined)
      .finally(() => this.#running.delete(key))
  }
}

/** The peer's own address in the mesh: the network of one address that only leads to it. */
function addressOf(devices: readonly DeviceView[], wanted: string): string | undefined {
  for (const device of devices) {
    const peer = device.peers.find(({ publicKey }) => keyOf({ device: device.name, publicKey }) === wanted)
    const own = peer?.allowedIPs.find(text => /^[\d.]+\/32$|:.*\/128$/.test(text))
    if (own !== undefined) return own.replace(/\/.*/, '')
  }
  return undefined
}
