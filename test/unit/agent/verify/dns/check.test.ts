import t from 'tap'
import { createDnsCheck, type DnsCheckOptions } from '../../../../../agent/verify/dns/check.ts'
import { socketDns } from '../../../../../agent/verify/dns/transport.ts'
import * as dns from '../../../../fakes/dns-server.ts'
import { runFromHost, summarize } from '../run-check.ts'

// Some rows wait for a limit: side by side they wait together.
t.jobs = 8

const v4 = (asked: dns.Asked) => [dns.answer(asked, { A: ['192.0.2.7'] })]
const nothing = () => []
/** Silence costs as much as this; an answer under load must not. */
const limitMs = 1000
/** Knows exactly one name. */
const only = (name: string) => (asked: dns.Asked) => (asked.name === name ? v4(asked) : [dns.rcode(asked, 'NXDOMAIN')])
const byType = (A: dns.DnsScript, AAAA: dns.DnsScript) => (asked: dns.Asked) =>
  asked.type === 'A' ? A(asked) : AAAA(asked)
const fails = (code: Parameters<typeof dns.rcode>[1]) => (asked: dns.Asked) => [dns.rcode(asked, code)]
const empty = (asked: dns.Asked) => [dns.answer(asked, {})]

interface CheckCase {
  readonly name: string
  /** Scripts of the servers at 127.0.0.1, 127.0.0.2 and so on; null = nobody listens there. */
  readonly servers: readonly (dns.DnsScript | null)[]
  readonly names?: readonly string[]
  readonly options?: string
  readonly want: readonly string[]
}

const cases: readonly CheckCase[] = [
  { name: 'one family is enough', servers: [v4], want: ['dns pass: x.test @127.0.0.1 A'] },
  {
    name: 'only IPv6',
    servers: [byType(empty, asked => [dns.answer(asked, { AAAA: ['2001:db8::1'] })])],
    want: ['dns pass: x.test @127.0.0.1 AAAA'],
  },
  {
    name: 'IPv4 answers, IPv6 is swallowed',
    servers: [byType(v4, nothing)],
    want: ['dns pass: x.test @127.0.0.1 A', 'dns warn NoAnswer: x.test @127.0.0.1 AAAA'],
  },
  {
    name: 'IPv4 answers, IPv6 fails',
    servers: [byType(v4, fails('SERVFAIL'))],
    want: ['dns pass: x.test @127.0.0.1 A', 'dns warn ServFail: x.test @127.0.0.1 AAAA'],
  },
  { name: 'no such name', servers: [fails('NXDOMAIN')], want: ['dns fail NXDomain: x.test @127.0.0.1 A,AAAA'] },
  { name: 'no addresses of either family', servers: [empty], want: ['dns fail NoData: x.test @127.0.0.1 A,AAAA'] },
  { name: 'a failing server', servers: [fails('SERVFAIL')], want: ['dns fail ServFail: x.test @127.0.0.1 A,AAAA'] },
  { name: 'a refusing server', servers: [fails('REFUSED')], want: ['dns fail Refused: x.test @127.0.0.1 A,AAAA'] },
  {
    name: 'a server of another kind',
    servers: [fails('NOTIMP')],
    want: ['dns fail BadReply: x.test @127.0.0.1 A,AAAA'],
  },
  {
    name: 'aliases in a circle',
    servers: [asked => [dns.cnameLoop(asked)]],
    want: ['dns fail CNAMELoop: x.test @127.0.0.1 A,AAAA'],
  },
  {
    name: 'replies with another id, and never the right one',
    servers: [asked => v4(asked).map(dns.withOtherId)],
    want: ['dns fail BadReply: x.test @127.0.0.1 A,AAAA'],
  },
  {
    name: 'always cut short',
    servers: [asked => [dns.truncated(asked)]],
    want: ['dns fail Truncated: x.test @127.0.0.1 A,AAAA'],
  },
  {
    name: 'silence everywhere',
    servers: [nothing, null],
    want: ['dns fail NoAnswer: x.test @127.0.0.1 A,AAAA', 'dns fail NoAnswer: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'families that fail in different ways',
    servers: [byType(fails('NXDOMAIN'), fails('REFUSED'))],
    want: ['dns fail Refused: x.test @127.0.0.1 AAAA'],
  },
  {
    name: 'a dead server among live ones warns',
    servers: [v4, null],
    want: ['dns pass: x.test @127.0.0.1 A', 'dns warn NoAnswer: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'a silent server among live ones warns',
    servers: [nothing, v4],
    want: ['dns warn NoAnswer: x.test @127.0.0.1 A,AAAA', 'dns pass: x.test @127.0.0.2 A'],
  },
  {
    name: 'a dead server does not excuse a wrong one',
    servers: [null, fails('NXDOMAIN')],
    want: ['dns warn NoAnswer: x.test @127.0.0.1 A,AAAA', 'dns fail NXDomain: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'a live server does not excuse a failing one',
    servers: [v4, fails('SERVFAIL')],
    want: ['dns pass: x.test @127.0.0.1 A', 'dns fail ServFail: x.test @127.0.0.2 A,AAAA'],
  },
  {
    name: 'each name at each server',
    servers: [v4, v4],
    names: ['x.test', 'y.test'],
    want: [
      'dns pass: x.test @127.0.0.1 A',
      'dns pass: x.test @127.0.0.2 A',
      'dns pass: y.test @127.0.0.1 A',
      'dns pass: y.test @127.0.0.2 A',
    ],
  },
  {
    name: 'a relative name on the search path',
    servers: [only('kube.b.test')],
    names: ['kube'],
    options: 'search a.test b.test',
    want: ['dns pass: kube @127.0.0.1 A'],
  },
  {
    name: 'a relative name that is nowhere',
    servers: [fails('NXDOMAIN')],
    names: ['kube'],
    options: 'search a.test',
    want: ['dns fail NXDomain: kube @127.0.0.1 A,AAAA'],
  },
  {
    name: 'a failure on the search path is passed over',
    servers: [asked => (asked.name === 'kube.a.test' ? fails('SERVFAIL')(asked) : only('kube.b.test')(asked))],
    names: ['kube'],
    options: 'search a.test b.test',
    want: ['dns pass: kube @127.0.0.1 A'],
  },
  {
    name: 'a failure on the search path tells more than a missing name',
    servers: [asked => (asked.name === 'kube.a.test' ? fails('SERVFAIL')(asked) : fails('NXDOMAIN')(asked))],
    names: ['kube'],
    options: 'search a.test',
    want: ['dns fail ServFail: kube @127.0.0.1 A,AAAA'],
  },
  {
    name: 'a final dot leaves the search path alone',
    servers: [only('kube.a.test')],
    names: ['kube.'],
    options: 'search a.test',
    want: ['dns fail NXDomain: kube. @127.0.0.1 A,AAAA'],
  },
  {
    name: 'an address is no name',
    servers: [v4],
    names: ['8.8.8.8', '::1', 'x.test'],
    want: ['dns skip NotAName: 8.8.8.8', 'dns skip NotAName: ::1', 'dns pass: x.test @127.0.0.1 A'],
  },
  {
    name: 'a name no message can carry',
    servers: [v4],
    names: ['a..b'],
    want: ['dns fail NXDomain: a..b @127.0.0.1 A'],
  },
]

for (const each of cases) {
  t.test(`DNS check: ${each.name}`, { buffered: true }, async t => {
    const port = await start(stop => t.teardown(stop), each.servers)
    const lines = each.servers.map((_, index) => `nameserver 127.0.0.${index + 1}`)
    const text = [...lines, each.options ?? ''].join('\n')
    const results = await runFromHost(create({ text, port, names: each.names ?? ['x.test'] }))
    t.strictSame(
      results.map(summarize).filter(line => !line.endsWith(' tcp')),
      each.want,
    )
  })
}

t.test('DNS check: the limit is per question, not for the search path', async t => {
  const port = await start(
    stop => t.teardown(stop),
    [
      async asked => {
        // Together far over the limit, each below it.
        await new Promise(resolve => setTimeout(resolve, 0.4 * limitMs))
        return only('kube.d.test')(asked)
      },
    ],
  )
  const text = 'nameserver 127.0.0.1\nsearch a.test b.test c.test d.test'
  const results = await runFromHost(create({ text, port, names: ['kube'] }))
  t.strictSame(results.map(summarize), ['dns pass: kube @127.0.0.1 A', 'dns pass: kube @127.0.0.1 A tcp'])
})

interface TcpCase {
  readonly name: string
  readonly server: Omit<dns.DnsServerOptions, 'host' | 'port'>
  readonly want: string
}

const tcpCases: readonly TcpCase[] = [
  { name: 'that answers', server: { script: v4 }, want: 'dns pass: x.test @127.0.0.1 A tcp' },
  {
    name: 'without the name',
    server: { script: fails('NXDOMAIN') },
    want: 'dns fail NXDomain: x.test @127.0.0.1 A,AAAA tcp',
  },
  {
    name: 'that answers by UDP only',
    server: { script: v4, tcp: false },
    want: 'dns fail NoAnswer: x.test @127.0.0.1 A,AAAA tcp',
  },
  {
    name: 'that cuts short even so',
    server: { script: asked => [dns.truncated(asked)] },
    want: 'dns fail Truncated: x.test @127.0.0.1 A,AAAA tcp',
  },
]

for (const { name, server: given, want } of tcpCases) {
  t.test(`DNS check: use-vc is obeyed, a server ${name}`, async t => {
    const server = await dns.startDnsServer(given)
    t.teardown(() => server.stop())
    const text = `nameserver ${server.host}\noptions use-vc\n`
    const results = await runFromHost(create({ text, port: server.port, names: ['x.test'] }))
    t.strictSame(results.map(summarize), [want])
    t.ok(
      server.asked.every(({ way }) => way === 'tcp'),
      'nothing was asked by UDP',
    )
  })
}

t.test('DNS check: without resolv.conf this machine is asked', async t => {
  const port = await start(stop => t.teardown(stop), [v4])
  const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  const results = await runFromHost(create({ text: missing, port, names: ['x.test'] }))
  t.strictSame(results.map(summarize), ['dns pass: x.test @127.0.0.1 A', 'dns pass: x.test @127.0.0.1 A tcp'])
})

t.test('DNS check: a resolv.conf that cannot be read fails and says so', async t => {
  const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
  const [result] = await runFromHost(create({ text: denied, port: 9, names: ['x.test'] }))
  t.match(result, { code: 'dns', result: 'fail', reason: 'NoAnswer', message: /permission denied/ })
})

t.test('DNS check: the message names what was asked and what came', async t => {
  const port = await start(
    stop => t.teardown(stop),
    [asked => (asked.name === 'kube.a.test' ? v4(asked) : fails('NXDOMAIN')(asked))],
  )
  const text = 'nameserver 127.0.0.1\nsearch a.test'
  const [found, missing] = await runFromHost(create({ text, port, names: ['kube', 'gone.'] }))
  t.equal(found?.message, 'kube.a.test: 192.0.2.7')
  t.equal(missing?.message, 'gone A: no such name')
})

interface Asking {
  readonly text: string | Error
  readonly port: number
  readonly names: readonly string[]
}

function create({ text, port, names }: Asking) {
  const readResolvConf = async () => {
    if (text instanceof Error) throw text
    return text
  }
  const options: DnsCheckOptions = { names, limitMs, port, ports: { dns: socketDns, readResolvConf } }
  return createDnsCheck(options)
}

type Teardown = (stop: () => Promise<unknown>) => void

async function start(teardown: Teardown, scripts: readonly (dns.DnsScript | null)[]): Promise<number> {
  const servers = await dns.startDnsServers(scripts)
  teardown(() => Promise.all(servers.map(server => server.stop())))
  return servers[0]?.port ?? 0
}
