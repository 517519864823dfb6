import t from 'tap'
import {
  decodeProbe,
  encodeAsk,
  leastBytes,
  type ProbeMessage,
  toAnswer,
} from '../../../../../agent/verify/peers/message.ts'
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

t.test('random datagrams: ours are those that begin as one of ours would with the nonce that is read', async t => {
  const below = createRandom(11)
  const faults: object[] = []
  let ours = 0
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(below(2) === 0 ? ask : toAnswer(ask))
    for (let change = 0; change < 3; change++) bytes[below(bytes.length)] = below(256)
    const datagram = bytes.subarray(0, below(2 * bytes.length))
    const found = decodeProbe(datagram)
    const [made] = (['ask', 'answer'] as const)
      .map(kind => ({ kind, nonce: datagram.toString('hex', 7, 23) }))
      .filter(wanted => datagram.length >= leastBytes && begins(datagram, wanted))
    if (found !== undefined) ours++
    if (found?.kind !== made?.kind || found?.nonce !== made?.nonce) faults.push({ datagram, found, made })
  }
  t.strictSame({ faults, some: ours > 100, notAll: ours < 1900 }, { faults: [], some: true, notAll: true })
})

/** Whether a datagram's head is what we would send as this message. */
function begins(datagram: Buffer, { kind, nonce }: ProbeMessage): boolean {
  const message = encodeAsk(nonce, leastBytes)
  const head = (kind === 'ask' ? message : toAnswer(message)).subarray(0, 23)
  return datagram.subarray(0, head.length).equals(head)
}
