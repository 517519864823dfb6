import { type Prefix, parsePrefix, parseSocketAddress, type SocketAddress } from './addresses.ts'
import { DeviceFault } from './device.ts'

/**
 * Reads the parts of replies. A device says nearly the same at every look, so what was read once is looked up.
 * All throw DeviceFault BadReply.
 */
export interface ReplyParts {
  endpoint(text: string): SocketAddress
  network(text: string): Prefix
  /** A key in hexadecimal digits, as base64. */
  hexKey(text: string): string
}

/** A few thousand peers with a few networks each; more is read afresh. */
const mostRemembered = 50_000

export function createReplyParts(): ReplyParts {
  return {
    endpoint: remember(text => parseSocketAddress(text) ?? bad('endpoint is no address with a port')),
    network: remember(text => parsePrefix(text) ?? bad('an allowed-ip is no network')),
    hexKey: remember(text => {
      if (!/^[0-9a-f]{64}$/i.test(text)) return bad('a public key is no key')
      return Buffer.from(text, 'hex').toString('base64')
    }),
  }
}

function remember<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return text => {
    const found = known.get(text)
    if (found !== undefined) return found
    const value = read(text)
    if (known.size >= mostRemembered) known.clear()
    // A copy: a part of a text keeps all of that text in memory.
    known.set(Buffer.from(text, 'latin1').toString('latin1'), value)
    return value
  }
}

/**
 * A whole number as WireGuard prints it.
 * @throws DeviceFault BadReply
 */
export function readNumber(text: string, what: string): number {
  if (!/^\d{1,20}$/.test(text)) return bad(`${what} is no number`)
  return Number(text)
}

/** @throws DeviceFault BadReply */
export function bad(message: string): never {
  throw new DeviceFault('BadReply', message)
}
