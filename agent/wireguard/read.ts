import type { Clock } from '../runtime/clock.ts'
import type { SocketAddress } from './addresses.ts'
import { DeviceFault, type DeviceIdentity, type DeviceReading, identityOf } from './device.ts'
import type { DeviceSource, Interfaces } from './sources.ts'

/** What one look at the node's devices found. */
export interface Look {
  /** By name. */
  readonly devices: readonly DeviceReading[]
  /** Why devices of some kind could not even be listed. */
  readonly unlisted: readonly DeviceFault[]
}

/** Looks at the node's devices, as often as wanted. */
export interface DeviceReader {
  /** Never throws. */
  look(): Promise<Look>
  /**
   * Moves the endpoint of a peer of a device of the last look.
   * @throws DeviceFault
   */
  move(device: string, publicKey: string, endpoint: SocketAddress): Promise<void>
}

export interface DeviceReaderOptions {
  /** In the order of trust: a device that two know is read by the first. */
  readonly sources: readonly DeviceSource[]
  readonly readInterfaces: () => Promise<Interfaces>
  /** Names of the interfaces to look at; none = all. */
  readonly interfaces: readonly string[]
  readonly clock: Pick<Clock, 'monotonic'>
}

/** How long one that hangs, and hung when it was asked again, is left alone. */
const pauseMs = 5_000

/** Reads devices side by side, each within its own limits. */
export function createDeviceReader(options: DeviceReaderOptions): DeviceReader {
  const { sources, readInterfaces, interfaces } = options
  const readOne = createPatientRead(options.clock)
  const isWanted = (name: string) => interfaces.length === 0 || interfaces.includes(name)
  let places: ReadonlyMap<string, Place> = new Map()
  let identities: ReadonlyMap<string, DeviceIdentity> = new Map()
  return {
    async look() {
      const found = await findPlaces(sources, await readInterfaces().catch(() => new Set<string>()))
      places = new Map([...found.places].filter(([name]) => isWanted(name)))
      const read = await Promise.all([...places].map(([name, { source, bytes }]) => readOne(source, name, bytes)))
      const devices = read.map(reading => withLast(reading, identities.get(reading.name)))
      identities = keepIdentities(devices)
      return { devices: devices.toSorted((one, other) => (one.name < other.name ? -1 : 1)), unlisted: found.unlisted }
    },
    async move(device, publicKey, endpoint) {
      const place = places.get(device)
      if (place === undefined) throw new DeviceFault('Unreachable', 'it is not there any more')
      await place.source.move(place.bytes, publicKey, endpoint)
    },
  }
}

function withLast(reading: DeviceReading, last: DeviceIdentity | undefined): DeviceReading {
  return 'device' in reading || last === undefined ? reading : { ...reading, last }
}

function keepIdentities(readings: readonly DeviceReading[]): ReadonlyMap<string, DeviceIdentity> {
  return new Map(
    readings.flatMap(reading => {
      const { publicKey, listenPort = 0 } = identityOf(reading) ?? {}
      return publicKey === undefined ? [] : [[reading.name, { publicKey, listenPort }] as const]
    }),
  )
}

/** Where a device is read. */
interface Place {
  readonly source: DeviceSource
  readonly bytes: Buffer
}

async function findPlaces(sources: readonly DeviceSource[], interfaces: Interfaces) {
  const unlisted: DeviceFault[] = []
  const places = new Map<string, Place>()
  const list = (source: DeviceSource) =>
    source.list(interfaces).catch(error => {
      unlisted.push(toFault(error))
      return []
    })
  const lists = await Promise.all(sources.map(async source => ({ source, names: await list(source) })))
  for (const { source, names } of lists) {
    for (const bytes of names) if (!places.has(nameOf(bytes))) places.set(nameOf(bytes), { source, bytes })
  }
  return { places, unlisted }
}

type Read = (source: DeviceSource, name: string, bytes: Buffer) => Promise<DeviceReading>

/** What a device that hangs is asked, aside. */
interface Hanging {
  readonly fault: DeviceFault
  /** When it is asked again; undefined = it is being asked. */
  againMs: number | undefined
}

/** One that did not answer in time is asked again at the next look, but aside: the others are not kept waiting twice. */
function createPatientRead(clock: Pick<Clock, 'monotonic'>): Read {
  const hanging = new Map<string, Hanging>()
  const askAside = async (known: Hanging, name: string, read: () => Promise<unknown>) => {
    known.againMs = undefined
    const stillHangs = await read().then(
      () => false,
      error => toFault(error).code === 'TimedOut',
    )
    if (stillHangs) known.againMs = clock.monotonic() + pauseMs
    else hanging.delete(name)
  }
  return async ({ kind, read }, name, bytes) => {
    const known = hanging.get(name)
    if (known !== undefined) {
      if (known.againMs !== undefined && clock.monotonic() >= known.againMs)
        void askAside(known, name, () => read(bytes))
      return { name, kind, fault: known.fault }
    }
    try {
      return { name, kind, device: await read(bytes) }
    } catch (error) {
      const fault = toFault(error)
      if (fault.code === 'TimedOut') hanging.set(name, { fault, againMs: clock.monotonic() })
      return { name, kind, fault }
    }
  }
}

function toFault(error: unknown): DeviceFault {
  return error instanceof DeviceFault ? error : new DeviceFault('Unreachable', 'it cannot be read', error)
}

/** A name for people: what is no text, and what a terminal would obey, is written as `\xff`. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString()
  const isText = Buffer.from(text).equals(bytes)
  const spell = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  const source = isText ? text : bytes.toString('latin1')
  return source.replace(isText ? /\p{Cc}/gu : /[^ -~]/g, spell)
}
