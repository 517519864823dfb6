import { createPrivateKey, createPublicKey } from 'node:crypto'

/** What PKCS #8 puts before the 32 bytes of an X25519 key. */
const derHead = Buffer.from('302e020100300506032b656e04220420', 'hex')
const keyBytes = 32

/**
 * The public key, in base64, of a private key in hexadecimal digits; undefined = no key. The digits never become text,
 * and what is made of them here is wiped.
 */
export function derivePublicKey(digits: Buffer): string | undefined {
  const der = Buffer.alloc(derHead.length + keyBytes)
  try {
    derHead.copy(der)
    if (digits.length !== keyBytes * 2) return undefined
    for (let index = 0; index < keyBytes; index++) {
      const byte = readDigit(digits[index * 2]) * 16 + readDigit(digits[index * 2 + 1])
      if (Number.isNaN(byte)) return undefined
      der[derHead.length + index] = byte
    }
    if (der.subarray(derHead.length).every(byte => byte === 0)) return undefined
    const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
      format: 'jwk',
    })
    return Buffer.from(x, 'base64url').toString('base64')
  } finally {
    der.fill(0)
  }
}

function readDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN
}
