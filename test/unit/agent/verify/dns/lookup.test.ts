import t from 'tap'
import { CheckFault } from '../../../../../agent/verify/check.ts'
import { withDeadline } from '../../../../../agent/verify/deadline.ts'
import { lookUp } from '../../../../../agent/verify/dns/lookup.ts'
import { socketDns } from '../../../../../agent/verify/dns/transport.ts'
import * as dns from '../../../../fakes/dns-server.ts'

// Most rows wait for a limit: side by side they wait together.
t.jobs = 12
/** Long against a busy machine's hiccups: rows count how often they asked, and those that ask once never ask again. */
const limitMs = 4000
const retryMs = 400
const never = 600_000

const address = '192.0.2.7'
const good = (asked: dns.Asked) => dns.answer(asked, { A: [address] })

interface LookupCase {
  readonly name: string
  readonly script: dns.DnsScript
  readonly tcp?: boolean
  /** Addresses or a reason. */
  readonly want: readonly string[] | string
  /** How the server must have been asked, in order. */
  readonly protocols?: readonly string[]
}

const cases: readonly LookupCase[] = [
  { name: 'an answer', script: asked => [good(asked)], want: [address], protocols: ['udp'] },
  {
    name: 'the first packet is lost',
    script: asked => (asked.before === 0 ? [] : [good(asked)]),
    want: [address],
    protocols: ['udp', 'udp'],
  },
  { name: 'two packets are lost', script: asked => (asked.before < 2 ? [] : [good(asked)]), want: [address] },
  { name: 'silence', script: () => [], want: 'NoAnswer', protocols: ['udp', 'udp', 'udp'] },
  { name: 'replies with a wrong id only', script: asked => [dns.withOtherId(good(asked))], want: 'BadReply' },
  {
    name: 'a wrong id, then the answer',
    script: asked => [dns.withOtherId(dns.answer(asked, { A: ['192.0.2.66'] })), good(asked)],
    want: [address],
    protocols: ['udp'],
  },
  {
    name: 'replies to another question only',
    script: asked => [dns.otherQuestion(asked, '192.0.2.66')],
    want: 'BadReply',
  },
  {
    name: 'another question, then the answer',
    script: asked => [dns.otherQuestion(asked, '192.0.2.66'), good(asked)],
    want: [address],
    protocols: ['udp'],
  },
  {
    name: 'junk, then the answer',
    script: asked => [Buffer.from('junk'), good(asked)],
    want: [address],
    protocols: ['udp'],
  },
  {
    name: 'no such name is not asked again',
    script: asked => [dns.rcode(asked, 'NXDOMAIN')],
    want: 'NXDomain',
    protocols: ['udp'],
  },
  {
    name: 'a refusal is not asked again',
    script: asked => [dns.rcode(asked, 'REFUSED')],
    want: 'Refused',
    protocols: ['udp'],
  },
  {
    name: 'a server that always fails',
    script: asked => [dns.rcode(asked, 'SERVFAIL')],
    want: 'ServFail',
    protocols: ['udp', 'udp', 'udp'],
  },
  {
    name: 'a server that fails once',
    script: asked => [asked.before === 0 ? dns.rcode(asked, 'SERVFAIL') : good(asked)],
    want: [address],
    protocols: ['udp', 'udp'],
  },
  {
    name: 'a failure, then silence',
    script: asked => (asked.before === 0 ? [dns.rcode(asked, 'SERVFAIL')] : []),
    want: 'ServFail',
  },
  { name: 'messages that cannot be decoded', script: asked => [dns.garbled(asked)], want: 'BadReply' },
  { name: 'no data', script: asked => [dns.answer(asked, {})], want: 'NoData', protocols: ['udp'] },
  { name: 'aliases in a circle', script: asked => [dns.cnameLoop(asked)], want: 'CNAMELoop', protocols: ['udp'] },
  {
    name: 'cut short, whole by TCP',
    script: asked => [asked.way === 'udp' ? dns.truncated(asked) : good(asked)],
    want: [address],
    protocols: ['udp', 'tcp'],
  },
  {
    name: 'cut short, no TCP',
    script: asked => [dns.truncated(asked)],
    tcp: false,
    want: 'Truncated',
    protocols: ['udp'],
  },
  {
    name: 'cut short, TCP hangs up',
    script: asked => (asked.way === 'udp' ? [dns.truncated(asked)] : []),
    want: 'Truncated',
    protocols: ['udp', 'tcp'],
  },
  {
    name: 'cut short by TCP too',
    script: asked => [dns.truncated(asked)],
    want: 'Truncated',
    protocols: ['udp', 'tcp'],
  },
  {
    name: 'cut short, no such name by TCP',
    script: asked => [asked.way === 'udp' ? dns.truncated(asked) : dns.rcode(asked, 'NXDOMAIN')],
    want: 'NXDomain',
    protocols: ['udp', 'tcp'],
  },
  {
    name: 'cut short, a wrong id by TCP, then the answer',
    script: asked => (asked.way === 'udp' ? [dns.truncated(asked)] : [dns.withOtherId(good(asked)), good(asked)]),
    want: [address],
  },
]

for (const each of cases) {
  t.test(`lookup: ${each.name}`, { buffered: true }, async t => {
    const server = await dns.startDnsServer({ script: each.script, tcp: each.tcp ?? true })
    t.teardown(() => server.stop())
    const isOnce = each.protocols?.filter(way => way === 'udp').length === 1
    t.strictSame(await outcomeOf(server, isOnce ? never : retryMs), each.want)
    if (each.protocols !== undefined)
      t.strictSame(
        server.asked.map(({ way }) => way),
        each.protocols,
      )
  })
}

t.test('lookup: a slow answer to the first try counts after another was sent', async t => {
  const server = await dns.startDnsServer({
    async script(asked) {
      if (asked.before > 0) return []
      while (server.asked.length < 2) await new Promise(resolve => setTimeout(resolve, 5))
      return [good(asked)]
    },
  })
  t.teardown(() => server.stop())
  t.strictSame(await outcomeOf(server), [address])
})

t.test('lookup: each try has an id and a source port of its own', async t => {
  const server = await dns.startDnsServer({ script: () => [] })
  t.teardown(() => server.stop())
  await Promise.all(Array.from({ length: 4 }, () => outcomeOf(server)))
  t.ok(new Set(server.asked.map(({ id }) => id)).size > 8, 'ids differ')
  t.ok(new Set(server.asked.map(({ sourcePort }) => sourcePort)).size > 8, 'source ports differ')
})

t.test('lookup: a port where nobody listens is no answer', async t => {
  const server = await dns.startDnsServer({ script: () => [] })
  await server.stop()
  t.equal(await outcomeOf(server), 'NoAnswer')
})

async function outcomeOf(server: dns.DnsServer, againMs = retryMs): Promise<readonly string[] | string> {
  const question = { name: 'example.com', type: 'A' } as const
  const at = { address: server.host, port: server.port }
  try {
    return await withDeadline(limitMs, new AbortController().signal, signal =>
      lookUp({ server: at, question, way: 'udp', transport: socketDns, signal, retryMs: againMs }),
    )
  } catch (error) {
    if (error instanceof CheckFault) return error.code
    throw error
  }
}
