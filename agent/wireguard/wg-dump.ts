import type { Device, Peer } from './device.ts'
import { bad, type ReplyParts, readNumber } from './reply-parts.ts'

/** Of the device's line: private key, public key, listen port, fwmark. */
const deviceColumns = 4
/** Of a peer's: public key, preshared key, endpoint, allowed-ips, handshake, received, sent, keepalive. */
const peerColumns = 8
const nothing = '(none)'

/**
 * Reads what `wg show INTERFACE dump` prints. The secret keys in it are wiped before a text is made of it.
 * @throws DeviceFault BadReply
 */
export function parseDump(output: Buffer, parts: ReplyParts): Device {
  wipeSecrets(output)
  const [first = '', ...others] = output.toString('latin1').split('\n')
  const [, publicKey = '', listenPort = '', fwmark = ''] = readColumns(first, deviceColumns)
  return {
    publicKey: publicKey === nothing ? undefined : readKey(publicKey),
    listenPort: readNumber(listenPort, 'listen port'),
    fwmark: readMark(fwmark),
    peers: others.filter(line => line !== '').map(line => parsePeer(line, parts)),
  }
}

const newline = 0x0a
const tab = 0x09

/** Overwrites the first column of the first line and the second of all others. */
function wipeSecrets(output: Buffer): void {
  const columnEnd = (from: number) => {
    const found = output.indexOf(tab, from)
    return found === -1 ? output.length : found
  }
  output.fill('0', 0, columnEnd(0))
  for (let line = output.indexOf(newline); line !== -1; line = output.indexOf(newline, line + 1)) {
    const start = columnEnd(line) + 1
    output.fill('0', Math.min(start, output.length), columnEnd(start))
  }
}

function readColumns(line: string, count: number): readonly string[] {
  const columns = line.split('\t')
  if (columns.length !== count) bad(`a line has ${columns.length} columns`)
  return columns
}

function readMark(text: string): number {
  if (text === 'off') return 0
  if (!/^0x[0-9a-f]{1,8}$/i.test(text)) bad('fwmark is no number')
  return Number(text)
}

function readKey(text: string): string {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) bad('a public key is no key')
  return Buffer.from(text, 'base64').toString('base64')
}

function parsePeer(line: string, parts: ReplyParts): Peer {
  const columns = readColumns(line, peerColumns)
  const [publicKey = '', , endpoint = '', allowed = '', handshake = '', rx = '', tx = '', keepalive = ''] = columns
  return {
    publicKey: readKey(publicKey),
    endpoint: endpoint === nothing ? undefined : parts.endpoint(endpoint),
    allowedIPs: allowed === nothing ? [] : allowed.split(',').map(parts.network),
    handshakeMs: readNumber(handshake, 'handshake') * 1000 || undefined,
    rxBytes: readNumber(rx, 'received bytes'),
    txBytes: readNumber(tx, 'sent bytes'),
    keepalive: keepalive === 'off' ? 0 : readNumber(keepalive, 'keepalive'),
  }
}
