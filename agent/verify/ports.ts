import type { KubeApi } from '../kube/api.ts'
import type { PeerPort } from './peers/exchange.ts'
import type { Peer } from './peers/peer.ts'
import type { PodPort } from './pods/pod-port.ts'

/** A name server of the node. */
export interface NameServer {
  readonly address: string
  readonly port: number
}

/**
 * Sends one DNS message and ends with the first reply that `accept` makes something of; others are ignored.
 * @throws CheckFault where the server cannot be reached, or the signal's reason
 */
export type DnsExchange = <T>(
  server: NameServer,
  message: Buffer,
  accept: (reply: Buffer) => T | undefined,
  signal: AbortSignal,
) => Promise<T>

/** How DNS messages travel. */
export interface DnsTransport {
  readonly udp: DnsExchange
  readonly tcp: DnsExchange
}

/**
 * Connects by TCP to an address and hangs up at once.
 * @throws CheckFault with reason Refused, Unreachable or TimedOut
 */
export type DialTcp = (address: string, port: number, signal: AbortSignal) => Promise<void>

/** Everything the checks touch outside of the process. A pod network brings other ones than the host. */
export interface CheckPorts {
  /** Undefined = no cluster is known; what needs one is skipped. */
  readonly kube: KubeApi | undefined
  readonly dns: DnsTransport
  readonly dialTcp: DialTcp
  /** Text of resolv.conf. */
  readResolvConf(): Promise<string>
  /** Addresses of a host name, as the system resolves it. */
  resolveHost(host: string): Promise<readonly string[]>
  readonly peers: PeerPort
  readonly pods: PodPort
  /** The few other agents to ask; an empty list where none is known. */
  findPeers(signal: AbortSignal): Promise<readonly Peer[]>
}
