import { canonicalPrefix, formatSocketAddress, parseSocketAddress, type SocketAddress } from './addresses.ts'
import { type Device, DeviceFault, type Peer } from './device.ts'
import { beginsWith, readNumber, splitBytes } from './lines.ts'
import { derivePublicKey } from './public-key.ts'

/** Asks a device for all that it has. */
export const getRequest = 'get=1\n\n'

/** Moves a peer's endpoint; a peer that is not there any more is not made again. */
export function setEndpointRequest(publicKey: string, endpoint: SocketAddress): string {
  const key = Buffer.from(publicKey, 'base64').toString('hex')
  return `set=1\npublic_key=${key}\nupdate_only=true\nendpoint=${formatSocketAddress(endpoint)}\n\n`
}

/** How every reply ends. */
const ending = /(?:^|\n)errno=(-?\d{1,6})\n\n$/
const longestEnding = 20

/** The error number that a reply ends with, 0 = none; undefined = it has not come to its end. */
export function readErrno(reply: Buffer): number | undefined {
  const [, errno] = ending.exec(reply.toString('latin1', Math.max(0, reply.length - longestEnding))) ?? []
  return errno === undefined ? undefined : Math.abs(Number(errno))
}

type Draft = { -readonly [K in keyof Peer]: Peer[K] } & { allowedIPs: string[] }
type DeviceDraft = { -readonly [K in keyof Device]: Device[K] }

/**
 * Reads the reply to `get=1`.
 * @throws DeviceFault BadReply
 */
export function parseUapi(reply: Buffer): Device {
  const errno = readErrno(reply)
  if (errno === undefined) throw new DeviceFault('BadReply', 'the reply has no end')
  if (errno !== 0) throw new DeviceFault('BadReply', `the device answers with error ${errno}`)
  const device: DeviceDraft = { publicKey: undefined, listenPort: 0, fwmark: 0, peers: [] }
  const peers: Draft[] = []
  for (const line of splitBytes(reply, '\n')) readLine(line, device, peers)
  return { ...device, peers }
}

const privateKey = 'private_key='

function readLine(line: Buffer, device: DeviceDraft, peers: Draft[]): void {
  if (line.length === 0 || beginsWith(line, 'errno=') || beginsWith(line, 'preshared_key=')) return
  if (beginsWith(line, privateKey)) {
    device.publicKey = derivePublicKey(line.subarray(privateKey.length))
    return
  }
  const text = line.toString('latin1')
  const at = text.indexOf('=')
  if (at < 1) throw new DeviceFault('BadReply', 'a line of the reply is no key=value')
  const [key, value] = [text.slice(0, at), text.slice(at + 1)]
  const peer = peers.at(-1)
  if (key === 'public_key') peers.push(newPeer(value))
  else if (peer !== undefined) readPeerLine(peer, key, value)
  else if (key === 'listen_port') device.listenPort = readNumber(value, key)
  else if (key === 'fwmark') device.fwmark = readNumber(value, key)
}

function newPeer(hex: string): Draft {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new DeviceFault('BadReply', 'a public key is no key')
  const publicKey = Buffer.from(hex, 'hex').toString('base64')
  const traffic = { handshakeMs: undefined, rxBytes: 0, txBytes: 0 }
  return { publicKey, endpoint: undefined, allowedIPs: [], keepalive: 0, ...traffic }
}

type PeerLine = (peer: Draft, value: string, key: string) => void

/** What a newer device says besides is none of ours. */
const peerLines: Readonly<Record<string, PeerLine>> = {
  endpoint(peer, value, key) {
    peer.endpoint = parseSocketAddress(value)
    if (peer.endpoint === undefined) throw new DeviceFault('BadReply', `${key} is no address with a port`)
  },
  allowed_ip(peer, value, key) {
    const prefix = canonicalPrefix(value)
    if (prefix === undefined) throw new DeviceFault('BadReply', `${key} is no network`)
    peer.allowedIPs.push(prefix)
  },
  last_handshake_time_sec(peer, value, key) {
    const seconds = readNumber(value, key)
    // The fraction of a second follows in a line of its own.
    peer.handshakeMs = seconds === 0 ? undefined : seconds * 1000
  },
  last_handshake_time_nsec(peer, value, key) {
    const ms = Math.floor(readNumber(value, key) / 1e6)
    if (peer.handshakeMs !== undefined) peer.handshakeMs += ms
  },
  rx_bytes(peer, value, key) {
    peer.rxBytes = readNumber(value, key)
  },
  tx_bytes(peer, value, key) {
    peer.txBytes = readNumber(value, key)
  },
  persistent_keepalive_interval(peer, value, key) {
    peer.keepalive = readNumber(value, key)
  },
}

function readPeerLine(peer: Draft, key: string, value: string): void {
  if (Object.hasOwn(peerLines, key)) peerLines[key]?.(peer, value, key)
}
