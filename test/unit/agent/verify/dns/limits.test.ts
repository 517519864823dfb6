import t from 'tap'
import { createDnsCheck } from '../../../../../agent/verify/dns/check.ts'
import { socketDns } from '../../../../../agent/verify/dns/transport.ts'
import * as dns from '../../../../fakes/dns-server.ts'
import { runFromHost, summarize } from '../run-check.ts'

// The rows wait seconds for a server: side by side they wait together.
t.jobs = 10

/** Short of the shipped one: silence costs as much as this. */
const limitMs = 5000
const v4 = (asked: dns.Asked) => [dns.answer(asked, { A: ['192.0.2.7'] })]
/** Loses the first packet of every source port's question, as a table entry that is not there yet does. */
function firstLost(): dns.DnsScript {
  const seen = new Set<string>()
  return asked => {
    const key = `${asked.type} ${seen.size < 2 ? asked.sourcePort : ''}`
    if (seen.has(key) || seen.size >= 2) return v4(asked)
    seen.add(key)
    return []
  }
}
/** Wrong every n-th time it is asked for an address of either kind. */
function everyNth(n: number, wrong: dns.DnsScript): dns.DnsScript {
  let count = 0
  return asked => {
    count += 1
    return count % n === 0 ? wrong(asked) : v4(asked)
  }
}

interface LimitCase {
  readonly name: string
  readonly servers: readonly (dns.DnsScript | null)[]
  readonly want: readonly string[]
}

const well = ['dns pass: x.test @127.0.0.1 A']
const refuses = (asked: dns.Asked) => [dns.rcode(asked, 'REFUSED')]

const cases: readonly LimitCase[] = [
  { name: 'the first packets are dropped', servers: [firstLost()], want: well },
  {
    name: 'one of two servers is dead',
    servers: [v4, null],
    want: [...well, 'dns warn NoAnswer: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'one of two servers is silent',
    servers: [v4, () => []],
    want: [...well, 'dns warn NoAnswer: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'two dead servers',
    servers: [null, () => []],
    want: ['dns fail NoAnswer: x.test @127.0.0.1 A,AAAA', 'dns fail NoAnswer: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'one wrong answer in five fails nobody',
    servers: [asked => (asked.before === 1 && asked.type === 'A' ? refuses(asked) : v4(asked))],
    want: ['dns warn Refused: x.test @127.0.0.1 A'],
  },
  {
    name: 'wrong answers most of the time',
    servers: [everyNth(1, refuses)],
    want: ['dns fail Refused: x.test @127.0.0.1 A,AAAA'],
  },
]

for (const each of cases) {
  t.test(`DNS limits: ${each.name}`, { buffered: true, timeout: 30_000 }, async t => {
    const servers = await dns.startDnsServers(each.servers)
    t.teardown(() => Promise.all(servers.map(server => server.stop())))
    const results = await runFromHost(
      createDnsCheck({
        names: ['x.test'],
        limitMs,
        port: servers[0]?.port ?? 9,
        ports: {
          dns: socketDns,
          readResolvConf: async () => each.servers.map((_, index) => `nameserver 127.0.0.${index + 1}\n`).join(''),
        },
      }),
    )
    t.strictSame(
      results.map(summarize).filter(line => !line.endsWith('tcp')),
      each.want,
    )
  })
}

interface ProtocolCase {
  readonly name: string
  readonly udp: boolean
  readonly tcp: boolean
  readonly want: readonly string[]
  readonly says?: RegExp
}

const protocolCases: readonly ProtocolCase[] = [
  { name: 'both', udp: true, tcp: true, want: [...well, 'dns pass: x.test @127.0.0.1 A tcp'] },
  {
    name: 'UDP alone',
    udp: true,
    tcp: false,
    want: [...well, 'dns warn NoAnswer: x.test @127.0.0.1 A tcp'],
    says: /long answers are lost/,
  },
  {
    name: 'TCP alone: something drops UDP',
    udp: false,
    tcp: true,
    want: ['dns fail NoAnswer: x.test @127.0.0.1 A,AAAA', 'dns pass: x.test @127.0.0.1 A tcp'],
    says: /by TCP the server answers/,
  },
  { name: 'neither', udp: false, tcp: false, want: ['dns fail NoAnswer: x.test @127.0.0.1 A,AAAA'] },
]

for (const { name, udp, tcp, want, says } of protocolCases) {
  t.test(`DNS by UDP and TCP: ${name}`, { buffered: true }, async t => {
    const script = (asked: dns.Asked) => (asked.way === 'tcp' || udp ? v4(asked) : [])
    const server = await dns.startDnsServer({ script, tcp })
    t.teardown(() => server.stop())
    const results = await runFromHost(
      createDnsCheck({
        names: ['x.test'],
        // Only silence needs it all: whoever answers has time.
        limitMs: 2000,
        port: server.port,
        ports: { dns: socketDns, readResolvConf: async () => 'nameserver 127.0.0.1' },
      }),
    )
    t.strictSame(results.map(summarize), want)
    if (says !== undefined) t.match(results.map(({ message }) => message).join('\n'), says)
  })
}
