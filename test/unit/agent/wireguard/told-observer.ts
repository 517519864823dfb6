import { classifyDevices } from '../../../../agent/wireguard/classify.ts'
import type { Peer } from '../../../../agent/wireguard/device.ts'
import type { Observer } from '../../../../agent/wireguard/observe.ts'
import { reading, surroundings } from './mesh.ts'

export interface ToldDevice {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly peers: () => readonly Peer[]
  /** Called with each endpoint that the device is told. */
  readonly onMove: (endpoint: string) => void
}

/** An observer of n1's one device, wg0, whose peers are told. */
export function toldObserver({ nowMs, peers, onMove }: ToldDevice): Observer {
  return {
    async observe(map) {
      const readings = [reading(peers())]
      return { devices: classifyDevices(readings, surroundings({ map, nowMs: nowMs() })), readings, unlisted: [] }
    },
    async move(_, __, { address, port }) {
      onMove(`${address}:${port}`)
    },
  }
}
