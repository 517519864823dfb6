import t from 'tap'
import { ProtobufError, readFields, stringsOf } from '../../../../cni/host/protobuf.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { field, message, varint } from './protobuf-writer.ts'

interface ReadCase {
  readonly name: string
  readonly bytes: Uint8Array
  /** Field 1 as strings. */
  readonly want: readonly string[]
}

const readCases: readonly ReadCase[] = [
  { name: 'nothing', bytes: new Uint8Array(), want: [] },
  { name: 'a string', bytes: field(1, 'green'), want: ['green'] },
  { name: 'an empty string', bytes: field(1, ''), want: [''] },
  { name: 'letters of elsewhere', bytes: field(1, 'grün 💥'), want: ['grün 💥'] },
  { name: 'several, in order', bytes: message(field(1, 'a'), field(2, 'x'), field(1, 'b')), want: ['a', 'b'] },
  { name: 'a long string', bytes: field(1, 'x'.repeat(70_000)), want: ['x'.repeat(70_000)] },
  {
    name: 'numbers of each kind are passed over',
    bytes: message(
      [3 << 3, ...varint(300)],
      [(4 << 3) | 1, ...Array(8).fill(255)],
      [(5 << 3) | 5, 1, 2, 3, 4],
      field(1, 'a'),
    ),
    want: ['a'],
  },
  {
    name: 'a negative number of ten bytes',
    bytes: message([3 << 3, ...Array(9).fill(255), 1], field(1, 'a')),
    want: ['a'],
  },
  { name: 'a field beyond 32 bits', bytes: message([...varint(2 ** 40 * 8 + 2), 1, 65], field(1, 'a')), want: ['a'] },
]

for (const { name, bytes, want } of readCases) {
  t.test(`read: ${name}`, async t => {
    t.strictSame(stringsOf(readFields(bytes), 1), want)
  })
}

t.test('what is not there is an empty list', async t => {
  t.strictSame(stringsOf(readFields(field(1, 'a')), 2), [])
})

interface JunkCase {
  readonly name: string
  readonly bytes: readonly number[]
}

const junkCases: readonly JunkCase[] = [
  { name: 'a key without content', bytes: [0x0a] },
  { name: 'a length beyond the end', bytes: [0x0a, 5, 65] },
  { name: 'a length beyond all memory', bytes: [0x0a, ...Array(9).fill(255), 1] },
  { name: 'a number that is cut off', bytes: [0x08, 0x80] },
  { name: 'a number of eleven bytes', bytes: [0x08, ...Array(11).fill(0x80), 0] },
  { name: 'a fixed number that is cut off', bytes: [0x0d, 1, 2] },
  { name: 'a group', bytes: [0x0b] },
  { name: 'a kind that does not exist', bytes: [0x0f, 0] },
]

for (const { name, bytes } of junkCases) {
  t.test(`refused: ${name}`, async t => {
    t.throws(() => readFields(Uint8Array.from(bytes)), { name: 'ProtobufError', code: 'BadProtobuf' })
  })
}

t.test('random bytes are read within themselves or refused', async t => {
  const random = randomInput(71)
  const whole = message(field(1, 'green'), field(3, message(field(2, 'blue'))))
  const make = () => {
    if (random.below(2) === 0) return random.bytes(40)
    const bytes = Uint8Array.from(whole)
    bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  }
  const { accepted, surprises } = tryMany(
    5000,
    make,
    bytes => {
      const total = [...readFields(bytes).values()].flat().reduce((sum, content) => sum + content.length, 0)
      if (total > bytes.length) throw new Error('more was read than there is')
    },
    error => error instanceof ProtobufError,
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 200, `${accepted} were accepted`)
})
