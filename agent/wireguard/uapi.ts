import { formatSocketAddress, type Prefix, type SocketAddress } from './addresses.ts'
import type { Device, Peer } from './device.ts'
import { derivePublicKey } from './public-key.ts'
import { bad, type ReplyParts, readNumber } from './reply-parts.ts'

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

type Draft = { -readonly [K in keyof Peer]: Peer[K] } & { allowedIPs: Prefix[] }

/**
 * Reads the reply to `get=1`. The secret keys in it are wiped before a text is made of it.
 * @throws DeviceFault BadReply
 */
export function parseUapi(reply: Buffer, parts: ReplyParts): Device {
  const errno = readErrno(reply)
  if (errno === undefined) return bad('the reply has no end')
  if (errno !== 0) return bad(`the device answers with error ${errno}`)
  const publicKey = wipeSecrets(reply)
  const device = { listenPort: 0, fwmark: 0 }
  const peers: Draft[] = []
  for (const line of reply.toString('latin1').split('\n')) {
    if (line === '') continue
    const at = line.indexOf('=')
    if (at < 1) bad('a line of the reply is no key=value')
    const key = line.slice(0, at)
    const value = line.slice(at + 1)
    const peer = peers.at(-1)
    if (key === 'public_key') peers.push(newPeer(parts.hexKey(value)))
    else if (peer === undefined) readDeviceLine(device, key, value)
    else readPeerLine(peer, key, { value, parts })
  }
  return { publicKey, ...device, peers }
}

function readDeviceLine(device: { listenPort: number; fwmark: number }, key: string, value: string): void {
  if (key === 'listen_port') device.listenPort = readNumber(value, key)
  else if (key === 'fwmark') device.fwmark = readNumber(value, key)
}

const newline = 0x0a

/** Overwrites every secret key in place. Returns the public key that belongs to the private one; undefined = none. */
function wipeSecrets(reply: Buffer): string | undefined {
  let publicKey: string | undefined
  for (const word of ['private_key=', 'preshared_key=']) {
    for (let at = reply.indexOf(word); at !== -1; at = reply.indexOf(word, at + 1)) {
      const end = reply.indexOf(newline, at)
      const key = reply.subarray(at + word.length, end === -1 ? undefined : end)
      if (word === 'private_key=') publicKey = derivePublicKey(key)
      key.fill('0')
    }
  }
  return publicKey
}

function newPeer(publicKey: string): Draft {
  const traffic = { handshakeMs: undefined, rxBytes: 0, txBytes: 0 }
  return { publicKey, endpoint: undefined, allowedIPs: [], keepalive: 0, ...traffic }
}

/** What a newer device says besides is none of ours. */
function readPeerLine(peer: Draft, key: string, line: { readonly value: string; readonly parts: ReplyParts }): void {
  const { value, parts } = line
  if (key === 'allowed_ip') peer.allowedIPs.push(parts.network(value))
  else if (key === 'endpoint') peer.endpoint = parts.endpoint(value)
  else if (key === 'rx_bytes') peer.rxBytes = readNumber(value, key)
  else if (key === 'tx_bytes') peer.txBytes = readNumber(value, key)
  else if (key === 'persistent_keepalive_interval') peer.keepalive = readNumber(value, key)
  else if (key === 'last_handshake_time_sec') peer.handshakeMs = readNumber(value, key) * 1000 || undefined
  // Follows its seconds; where there are none, there was no handshake.
  else if (key === 'last_handshake_time_nsec' && peer.handshakeMs !== undefined)
    peer.handshakeMs += Math.floor(readNumber(value, key) / 1e6)
}
