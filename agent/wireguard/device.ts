import { CodedError } from '../../cni/host/coded-error.ts'
import type { Prefix, SocketAddress } from './addresses.ts'

/** A WireGuard interface of this node. Its private key and its peers' preshared keys are never taken in. */
export interface Device {
  /** base64; undefined = it has no key yet. */
  readonly publicKey: string | undefined
  readonly listenPort: number
  /** 0 = none. */
  readonly fwmark: number
  readonly peers: readonly Peer[]
}

/** One peer as the device has it. */
export interface Peer {
  /** base64. */
  readonly publicKey: string
  readonly endpoint: SocketAddress | undefined
  readonly allowedIPs: readonly Prefix[]
  /** Milliseconds since 1970; undefined = there was none. */
  readonly handshakeMs: number | undefined
  readonly rxBytes: number
  readonly txBytes: number
  /** Seconds; 0 = off. */
  readonly keepalive: number
}

/** Who runs a device: a program, or the kernel. */
export type DeviceKind = 'userspace' | 'kernel'

/** What others know a device by. */
export type DeviceIdentity = Pick<Device, 'publicKey' | 'listenPort'>

/** A device as one look found it, or why it could not be read, and what it was when it last could. */
export type DeviceReading = {
  readonly name: string
  readonly kind: DeviceKind
} & ({ readonly device: Device } | { readonly fault: DeviceFault; readonly last?: DeviceIdentity })

/** What a device is, as far as is known: one that hangs has not lost its key. undefined = it was never read. */
export function identityOf(reading: DeviceReading): DeviceIdentity | undefined {
  return 'device' in reading ? reading.device : reading.last
}

/** The ways in which a device can fail to tell of itself. */
export type DeviceFaultCode = 'Refused' | 'TimedOut' | 'TooLarge' | 'BadReply' | 'Unreachable'

/** A device that does not tell of itself. The message never holds a part of what it said: there are keys in it. */
export class DeviceFault extends CodedError<DeviceFaultCode> {
  override readonly name = 'DeviceFault'
}
