/** Bytes that are no protocol buffer message. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError'
  readonly code = 'BadProtobuf'
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/**
 * Reads the byte fields (strings and inner messages) of one message by their numbers; other kinds are passed over.
 * @throws ProtobufError
 */
export function readFields(message: Uint8Array): ReadonlyMap<number, readonly Uint8Array[]> {
  const fields = new Map<number, Uint8Array[]>()
  const cursor = { at: 0 }
  while (cursor.at < message.length) {
    const key = readVarint(message, cursor)
    const length = lengthOf(key & 7, message, cursor)
    const end = cursor.at + length
    if (end > message.length) throw new ProtobufError('a field is longer than its message')
    const number = Math.floor(key / 8)
    if ((key & 7) === BYTES) fields.set(number, [...(fields.get(number) ?? []), message.subarray(cursor.at, end)])
    cursor.at = end
  }
  return fields
}

/** The strings of a repeated field. */
export function stringsOf(fields: ReadonlyMap<number, readonly Uint8Array[]>, number: number): readonly string[] {
  return (fields.get(number) ?? []).map(bytes => Buffer.from(bytes).toString('utf8'))
}

interface Cursor {
  at: number
}

/** How many bytes of content follow; a varint is its own content and read already. */
function lengthOf(kind: number, message: Uint8Array, cursor: Cursor): number {
  if (kind === BYTES) return readVarint(message, cursor)
  if (kind === FIXED64) return 8
  if (kind === FIXED32) return 4
  if (kind !== VARINT) throw new ProtobufError('a field is of a kind that does not exist')
  readVarint(message, cursor)
  return 0
}

const MAX_VARINT_BYTES = 10

function readVarint(message: Uint8Array, cursor: Cursor): number {
  let value = 0
  for (let count = 0; count < MAX_VARINT_BYTES; count++) {
    const byte = message[cursor.at++]
    if (byte === undefined) throw new ProtobufError('a number is cut off')
    // Multiplied, not shifted: a number may have more than 32 bits.
    value += (byte & 0x7f) * 2 ** (7 * count)
    if (byte < 0x80) return value
  }
  throw new ProtobufError('a number is too long')
}

/** A field of text or of an inner message, as bytes. */
export function bytesField(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from([...varintOf(number * 8 + BYTES), ...varintOf(bytes.length)]), bytes])
}

/** A field that says yes. */
export function trueField(number: number): Uint8Array {
  return Uint8Array.from([...varintOf(number * 8 + VARINT), 1])
}

function varintOf(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varintOf(Math.floor(value / 128))]
}
