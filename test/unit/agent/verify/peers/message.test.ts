import t from 'tap'
import { decodeProbe, encodeAsk, leastBytes, toAnswer } from '../../../../../agent/verify/peers/message.ts'
import { createRandom } from '../seeded-random.ts'

const nonce = '00112233445566778899aabbccddeeff'

t.test('a question and its answer have the same size and nonce', t => {
  for (const bytes of [0, leastBytes, 65, 1392, 8972]) {
    const ask = encodeAsk(nonce, bytes)
    t.equal(ask.length, Math.max(bytes, leastBytes))
    t.strictSame(decodeProbe(ask), { kind: 'ask', nonce })
    const answer = toAnswer(ask)
    t.equal(answer.length, ask.length)
    t.strictSame(decodeProbe(answer), { kind: 'answer', nonce })
  }
  t.end()
})

const ask = encodeAsk(nonce, leastBytes)
const withByte = (at: number, value: number) => Buffer.from(ask.map((byte, index) => (index === at ? value : byte)))

for (const [name, datagram] of [
  ['nothing', Buffer.alloc(0)],
  ['too short', ask.subarray(0, -1)],
  ['of another program', Buffer.alloc(leastBytes)],
  ['of another version', withByte(5, 0x32)],
  ['of a kind that is none', withByte(6, 0)],
] as const) {
  t.test(`a datagram that is none of ours: ${name}`, t => {
    t.equal(decodeProbe(datagram), undefined)
    t.end()
  })
}

t.test('random datagrams are ours or not, never anything else', t => {
  const below = createRandom(11)
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(ask)
    for (let change = 0; change < 3; change++) bytes[below(bytes.length)] = below(256)
    const found = decodeProbe(bytes.subarray(0, below(2 * bytes.length)))
    t.ok(found === undefined || /^[0-9a-f]{32}$/.test(found.nonce))
  }
  t.end()
})
