import { isIPv4 } from 'node:net'
import { type Answer, decode, encode } from 'dns-packet'
import t from 'tap'
import { type DnsQuestion, encodeQuery, readReply } from '../../../../../agent/verify/dns/message.ts'
import * as dns from '../../../../fakes/dns-server.ts'
import { createRandom } from '../seeded-random.ts'

const question: DnsQuestion = { name: 'example.com', type: 'A' }
const asked: dns.Asked = { id: 7, name: 'example.com', type: 'A', way: 'udp', before: 0, sourcePort: 1 }
const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, data })
const a = (name: string, data: string): Answer => ({ type: 'A', name, data })

interface ReplyCase {
  readonly name: string
  readonly reply: Buffer
  /** Addresses, a reason, `truncated`, or undefined for a reply that is not ours. */
  readonly want: readonly string[] | string | undefined
}

const long = Array.from({ length: 20 }, (_, index) =>
  cname(index === 0 ? 'example.com' : `n${index}.test`, `n${index + 1}.test`),
)

const cases: readonly ReplyCase[] = [
  { name: 'addresses', reply: dns.answer(asked, { A: ['192.0.2.1', '192.0.2.2'] }), want: ['192.0.2.1', '192.0.2.2'] },
  {
    name: 'another spelling of the name',
    reply: dns.answer({ ...asked, name: 'eXample.COM' }, { A: ['192.0.2.1'] }),
    want: ['192.0.2.1'],
  },
  {
    name: 'an alias',
    reply: dns.records(asked, [cname('example.com', 'b.test'), a('b.test', '192.0.2.3')]),
    want: ['192.0.2.3'],
  },
  {
    name: 'aliases in any order',
    reply: dns.records(asked, [a('c.test', '192.0.2.3'), cname('b.test', 'c.test'), cname('example.com', 'b.test')]),
    want: ['192.0.2.3'],
  },
  { name: 'an alias to nowhere', reply: dns.records(asked, [cname('example.com', 'b.test')]), want: 'NoData' },
  { name: 'addresses of another name only', reply: dns.records(asked, [a('other.test', '192.0.2.9')]), want: 'NoData' },
  { name: 'no records', reply: dns.answer(asked, {}), want: 'NoData' },
  {
    name: 'only the other family',
    reply: dns.records(asked, [{ type: 'AAAA', name: 'example.com', data: '2001:db8::1' }]),
    want: 'NoData',
  },
  { name: 'aliases in a circle', reply: dns.cnameLoop(asked), want: 'CNAMELoop' },
  { name: 'an alias of itself', reply: dns.records(asked, [cname('example.com', 'example.com')]), want: 'CNAMELoop' },
  { name: 'a chain that never ends', reply: dns.records(asked, long), want: 'CNAMELoop' },
  { name: 'no such name', reply: dns.rcode(asked, 'NXDOMAIN'), want: 'NXDomain' },
  { name: 'a failed server', reply: dns.rcode(asked, 'SERVFAIL'), want: 'ServFail' },
  { name: 'a refusal', reply: dns.rcode(asked, 'REFUSED'), want: 'Refused' },
  { name: 'a refusal without the question', reply: dns.rcode(asked, 'REFUSED', { question: false }), want: 'Refused' },
  { name: 'another code', reply: dns.rcode(asked, 'NOTIMP'), want: 'BadReply' },
  { name: 'cut short', reply: dns.truncated(asked), want: 'truncated' },
  { name: 'cut short in the middle of a record', reply: cutWithFlag(), want: 'truncated' },
  { name: 'a message that ends too early', reply: dns.garbled(asked), want: 'BadReply' },
  { name: 'another id', reply: dns.withOtherId(dns.answer(asked, { A: ['192.0.2.1'] })), want: undefined },
  { name: 'another question', reply: dns.otherQuestion(asked, '192.0.2.1'), want: undefined },
  { name: 'another type', reply: dns.answer({ ...asked, type: 'AAAA' }, { AAAA: ['2001:db8::1'] }), want: undefined },
  {
    name: 'addresses without the question',
    reply: encode({ type: 'response', id: 7, answers: [a('example.com', '192.0.2.1')] }),
    want: undefined,
  },
  { name: 'our own query come back', reply: encodeQuery(7, question), want: undefined },
  { name: 'nothing', reply: Buffer.alloc(0), want: undefined },
  { name: 'half a header', reply: Buffer.from([0, 7, 0x80]), want: undefined },
]

function cutWithFlag(): Buffer {
  const whole = Buffer.from(dns.garbled(asked))
  whole.writeUInt16BE(whole.readUInt16BE(2) | 0x0200, 2)
  return whole
}

for (const { name, reply, want } of cases) {
  t.test(`reply: ${name}`, async t => {
    t.strictSame(outcomeOf(readReply(reply, 7, question)), want)
  })
}

function outcomeOf(reply: ReturnType<typeof readReply>): ReplyCase['want'] {
  if (reply?.kind === 'addresses') return reply.addresses
  return reply?.kind === 'fault' ? reply.fault.code : reply?.kind
}

t.test('a query wants recursion and has one question', async t => {
  const query = decode(encodeQuery(513, { name: 'example.com', type: 'AAAA' }))
  t.match(query, {
    id: 513,
    type: 'query',
    flag_rd: true,
    questions: [{ name: 'example.com', type: 'AAAA', class: 'IN' }],
  })
  t.equal(query.additionals?.length, 0)
})

t.test('reply: no bytes make the reader throw, or give an address that is none', async t => {
  const random = createRandom(53)
  const faults: string[] = []
  const outcomes = new Set<unknown>()
  const start = dns.records(asked, [cname('example.com', 'b.test'), a('b.test', '192.0.2.3')])
  for (let run = 0; run < 2000; run++) {
    const bytes = Buffer.from(start.subarray(0, start.length - random(4)))
    for (let edit = 0; edit <= random(6); edit++) bytes[2 + random(bytes.length - 2)] = random(256)
    try {
      const reply = readReply(bytes, 7, question)
      outcomes.add(reply?.kind)
      if (reply?.kind === 'addresses' && !reply.addresses.every(isIPv4))
        faults.push(`${reply.addresses} of ${hex(bytes)}`)
    } catch (error) {
      faults.push(`${String(error)} at ${hex(bytes)}`)
    }
  }
  t.strictSame({ faults, outcomes: outcomes.size }, { faults: [], outcomes: 4 })
})

function hex(bytes: Buffer): string {
  return bytes.toString('hex')
}
