import { DeviceFault } from './device.ts'

/** The parts of bytes between separators, the last one without; views, nothing is copied. */
export function* splitBytes(bytes: Buffer, separator: string): Generator<Buffer> {
  const code = separator.charCodeAt(0)
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(code, start)
    const end = found === -1 ? bytes.length : found
    yield bytes.subarray(start, end)
    start = end + 1
  }
}

/** Whether bytes begin with these characters; makes no text of them, for they may be a key. */
export function beginsWith(bytes: Buffer, word: string): boolean {
  return bytes.subarray(0, word.length).equals(Buffer.from(word, 'latin1'))
}

/**
 * A whole number as WireGuard prints it.
 * @throws DeviceFault BadReply
 */
export function readNumber(text: string, what: string): number {
  if (!/^\d{1,20}$/.test(text)) throw new DeviceFault('BadReply', `${what} is no number`)
  return Number(text)
}

/**
 * The canonical text of a key in base64.
 * @throws DeviceFault BadReply
 */
export function readKey(text: string, what: string): string {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) throw new DeviceFault('BadReply', `${what} is no key`)
  return Buffer.from(text, 'base64').toString('base64')
}
