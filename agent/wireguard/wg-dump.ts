import { canonicalPrefix, parseSocketAddress } from './addresses.ts'
import { type Device, DeviceFault, type Peer } from './device.ts'
import { readKey, readNumber, splitBytes } from './lines.ts'

/** Columns of the device's line: private key, public key, listen port, fwmark. */
const deviceColumns = { count: 4, secret: 0 } as const
/** Of a peer's: public key, preshared key, endpoint, allowed-ips, handshake, received, sent, keepalive. */
const peerColumns = { count: 8, secret: 1 } as const
const nothing = '(none)'

/**
 * Reads what `wg show INTERFACE dump` prints.
 * @throws DeviceFault BadReply
 */
export function parseDump(output: Buffer): Device {
  const [first, ...others] = splitBytes(output, '\n')
  if (first === undefined) throw new DeviceFault('BadReply', 'wg prints nothing')
  const [, publicKey = '', listenPort = '', fwmark = ''] = readColumns(first, deviceColumns)
  return {
    publicKey: publicKey === nothing ? undefined : readKey(publicKey, 'public key'),
    listenPort: readNumber(listenPort, 'listen port'),
    fwmark: readMark(fwmark),
    peers: others.filter(line => line.length > 0).map(parsePeer),
  }
}

/** The texts of a line's columns; the one with a secret stays empty and is never made a text of. */
function readColumns(line: Buffer, { count, secret }: { readonly count: number; readonly secret: number }): string[] {
  const columns = [...splitBytes(line, '\t')]
  if (columns.length !== count) throw new DeviceFault('BadReply', `a line has ${columns.length} columns`)
  return columns.map((column, index) => (index === secret ? '' : column.toString('latin1')))
}

function readMark(text: string): number {
  if (text === 'off') return 0
  if (!/^0x[0-9a-f]{1,8}$/i.test(text)) throw new DeviceFault('BadReply', 'fwmark is no number')
  return Number(text)
}

function parsePeer(line: Buffer): Peer {
  const columns = readColumns(line, peerColumns)
  const [publicKey = '', , endpoint = '', allowed = '', handshake = '', rx = '', tx = '', keepalive = ''] = columns
  const seconds = readNumber(handshake, 'handshake')
  return {
    publicKey: readKey(publicKey, 'public key'),
    endpoint: readEndpoint(endpoint),
    allowedIPs: allowed === nothing ? [] : allowed.split(',').map(readPrefix),
    handshakeMs: seconds === 0 ? undefined : seconds * 1000,
    rxBytes: readNumber(rx, 'received bytes'),
    txBytes: readNumber(tx, 'sent bytes'),
    keepalive: keepalive === 'off' ? 0 : readNumber(keepalive, 'keepalive'),
  }
}

function readEndpoint(text: string): Peer['endpoint'] {
  if (text === nothing) return undefined
  const endpoint = parseSocketAddress(text)
  if (endpoint === undefined) throw new DeviceFault('BadReply', 'endpoint is no address with a port')
  return endpoint
}

function readPrefix(text: string): string {
  const prefix = canonicalPrefix(text)
  if (prefix === undefined) throw new DeviceFault('BadReply', 'an allowed-ip is no network')
  return prefix
}
