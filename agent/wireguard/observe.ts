import type { Clock } from '../runtime/clock.ts'
import { classifyDevices, type DeviceView } from './classify.ts'
import type { DeviceFault, DeviceReading, Peer } from './device.ts'
import type { MeshMap } from './mesh-map.ts'
import type { DeviceReader } from './read.ts'
import type { Destination, RouteBook } from './route-book.ts'

/** What one look at the node's devices says about the mesh. */
export interface Observation {
  readonly devices: readonly DeviceView[]
  readonly readings: readonly DeviceReading[]
  /** Why devices of some kind could not even be listed. */
  readonly unlisted: readonly DeviceFault[]
}

/** Looks at the devices, again and again, and keeps in mind what only two looks show. */
export interface Observer {
  /** Never throws. */
  observe(map: MeshMap): Promise<Observation>
  readonly move: DeviceReader['move']
}

export interface ObserverOptions {
  readonly reader: DeviceReader
  readonly routes: RouteBook
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** Whether a peer that never shook hands gets time to do so once it is seen. A single look has none to give. */
  readonly waits: boolean
}

/** What one look leaves behind about a peer. */
interface Trace {
  readonly firstMs: number
  readonly atMs: number
  readonly rxBytes: number
  readonly txBytes: number
  readonly runaway: boolean
  readonly handshake: Handshake | undefined
}

/** A peer's last handshake, as its device says it and by the clock that never jumps. */
interface Handshake {
  readonly saidMs: number
  readonly atMs: number
}

/** Handshakes and keepalives are some 100 bytes a second; a loop is only bounded by the CPU. */
const runawayBytesPerSecond = 2 ** 20

export function createObserver({ reader, routes, clock, waits }: ObserverOptions): Observer {
  let traces: ReadonlyMap<string, Trace> = new Map()
  return {
    move: reader.move,
    async observe(map) {
      const { devices: readings, unlisted } = await reader.look()
      const nowMs = clock.monotonic()
      traces = trace(readings, traces, { nowMs, wallMs: clock.now() })
      await routes.refresh(destinations(readings, map))
      const devices = classifyDevices(readings, {
        map,
        routeTo: routes.find,
        isRunaway: (device, key) => traces.get(`${device} ${key}`)?.runaway === true,
        knownForMs(device, key) {
          const seen = traces.get(`${device} ${key}`)
          return waits && seen !== undefined ? nowMs - seen.firstMs : Number.POSITIVE_INFINITY
        },
        handshakeAgeMs(device, { publicKey }) {
          const last = traces.get(`${device} ${publicKey}`)?.handshake
          return last && clock.monotonic() - last.atMs
        },
      })
      return { devices, readings, unlisted }
    },
  }
}

/** When a look was, by both clocks. */
interface Moment {
  readonly nowMs: number
  /** Milliseconds since 1970. */
  readonly wallMs: number
}

function trace(readings: readonly DeviceReading[], before: ReadonlyMap<string, Trace>, at: Moment) {
  const traces = new Map<string, Trace>()
  for (const reading of readings) {
    if (!('device' in reading)) continue
    for (const peer of reading.device.peers) {
      const key = `${reading.name} ${peer.publicKey}`
      traces.set(key, follow(peer, before.get(key), at))
    }
  }
  return traces
}

function follow(peer: Peer, last: Trace | undefined, at: Moment): Trace {
  const { rxBytes, txBytes } = peer
  const now = { atMs: at.nowMs, rxBytes, txBytes, handshake: placeHandshake(peer, last, at) }
  if (last === undefined) return { ...now, firstMs: at.nowMs, runaway: false }
  const seconds = Math.max(at.nowMs - last.atMs, 1) / 1000
  const runaway = rxBytes === last.rxBytes && (txBytes - last.txBytes) / seconds > runawayBytesPerSecond
  return { ...now, firstMs: last.firstMs, runaway }
}

/** Its time is the wall clock's, which may be set right meanwhile: what was placed once stays where it is. */
function placeHandshake({ handshakeMs }: Peer, last: Trace | undefined, at: Moment): Handshake | undefined {
  if (handshakeMs === undefined) return undefined
  if (last?.handshake?.saidMs === handshakeMs) return last.handshake
  return { saidMs: handshakeMs, atMs: at.nowMs - Math.max(0, at.wallMs - handshakeMs) }
}

/** Peers of nobody may be anywhere: nobody asks for the way to them. */
function destinations(readings: readonly DeviceReading[], map: MeshMap): readonly Destination[] {
  return readings.flatMap(reading => {
    if (!('device' in reading)) return []
    const { fwmark, peers } = reading.device
    return peers.flatMap(({ endpoint, publicKey }) =>
      endpoint === undefined || map.nodeOf(publicKey) === undefined ? [] : [{ address: endpoint.address, fwmark }],
    )
  })
}
