import { createPrivateKey, createPublicKey } from 'node:crypto'
import { DeviceFault } from '../../../../agent/wireguard/device.ts'

/** A pair of keys in base64 and in hexadecimal digits; the same number gives the same pair. */
export function keyPair(number: number): {
  publicKey: string
  publicHex: string
  privateKey: string
  privateHex: string
} {
  const secret = Buffer.alloc(32, number + 1)
  // As WireGuard clamps it.
  secret[0] = (secret[0] ?? 0) & 248
  secret[31] = ((secret[31] ?? 0) & 127) | 64
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), secret])
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  })
  const open = Buffer.from(x, 'base64url')
  return {
    publicKey: open.toString('base64'),
    publicHex: open.toString('hex'),
    privateKey: secret.toString('base64'),
    privateHex: secret.toString('hex'),
  }
}

const preshared = 'ab'.repeat(32)

/** What wireguard-go answers to get=1, with so many peers of so many networks. */
export function uapiReply(peers: number, networks = 2): string {
  const device = [`private_key=${keyPair(0).privateHex}`, 'listen_port=51821', 'fwmark=51']
  const others = Array.from({ length: peers }, (_, index) => [
    `public_key=${keyPair(index + 1).publicHex}`,
    `preshared_key=${preshared}`,
    'protocol_version=1',
    `endpoint=203.0.113.${(index % 250) + 1}:51821`,
    'last_handshake_time_sec=1700000000',
    'last_handshake_time_nsec=250000000',
    'tx_bytes=648',
    'rx_bytes=700',
    'persistent_keepalive_interval=20',
    ...Array.from({ length: networks }, (_, network) => `allowed_ip=10.${network >> 8}.${network & 255}.0/24`),
  ])
  return `${[...device, ...others.flat(), 'errno=0'].join('\n')}\n\n`
}

/** What `wg show wg0 dump` prints for two peers. */
export const dump = [
  [keyPair(0).privateKey, keyPair(0).publicKey, '51821', '0x33'],
  [
    keyPair(1).publicKey,
    keyPair(9).privateKey,
    '203.0.113.1:51821',
    '10.42.1.0/24,fd00::/64',
    '1700000000',
    '7',
    '8',
    '20',
  ],
  [keyPair(2).publicKey, '(none)', '(none)', '(none)', '0', '0', '0', 'off'],
]
  .map(columns => `${columns.join('\t')}\n`)
  .join('')

/** The fault that work must end with. */
export function faultOf(work: () => unknown): DeviceFault {
  try {
    work()
  } catch (error) {
    if (error instanceof DeviceFault) return error
    throw error
  }
  throw new Error('there was no fault')
}
