import t from 'tap'
import { candidateNames, parseResolvConf, type ResolvConf } from '../../../../../agent/verify/dns/resolv-conf.ts'
import { createRandom } from '../seeded-random.ts'

interface ParseCase {
  readonly name: string
  readonly text: string
  /** Over UDP unless told. */
  readonly want: Omit<ResolvConf, 'byTcp'> & { readonly byTcp?: boolean }
}

const parseCases: readonly ParseCase[] = [
  {
    name: 'as kubelet writes it for a pod',
    text: 'search nopal.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
    want: {
      servers: ['10.96.0.10'],
      search: ['nopal.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
    },
  },
  { name: 'empty: this machine', text: '', want: { servers: ['127.0.0.1'], search: [], ndots: 1 } },
  {
    name: 'more servers than anybody asks',
    text: 'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4',
    want: { servers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], search: [], ndots: 1 },
  },
  {
    name: 'one server twice counts as two, so the fourth line is never asked',
    text: 'nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3',
    want: { servers: ['192.0.2.1', '192.0.2.2'], search: [], ndots: 1 },
  },
  {
    name: 'a line that is no address does not count',
    text: 'nameserver x\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3',
    want: { servers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], search: [], ndots: 1 },
  },
  {
    name: 'a keyword begins its line, and a blank follows it',
    text: ' nameserver 192.0.2.1\n\tsearch a.test\nnameserver:192.0.2.1\nnameservers 192.0.2.1\nNameserver 192.0.2.1\n options use-vc\nnameserver 192.0.2.2',
    want: { servers: ['192.0.2.2'], search: [], ndots: 1 },
  },
  {
    name: 'by TCP alone, wherever it says so',
    text: 'options ndots:2\tuse-vc\nnameserver 192.0.2.1\noptions rotate',
    want: { servers: ['192.0.2.1'], search: [], ndots: 2, byTcp: true },
  },
  {
    name: 'what only looks like use-vc',
    text: 'options no-use-vc\nnameserver 192.0.2.1\n#options use-vc',
    want: { servers: ['192.0.2.1'], search: [], ndots: 1 },
  },
  {
    name: 'addresses as inet_aton takes them',
    text: 'nameserver 127.1\nnameserver 0x7f000002\nnameserver 010.0.0.1',
    want: { servers: ['127.0.0.1', '127.0.0.2', '8.0.0.1'], search: [], ndots: 1 },
  },
  {
    name: 'addresses that it does not take',
    text: 'nameserver 192.0.2.256\nnameserver 1.2.3.4.5\nnameserver 256.1\nnameserver 1..2\nnameserver 09.0.0.1\nnameserver 0x\nnameserver 4294967296',
    want: { servers: ['127.0.0.1'], search: [], ndots: 1 },
  },
  {
    name: 'IPv6 with a zone, tabs',
    text: 'nameserver\tfe80::1%eth0\nnameserver  2001:db8::53 \r\n',
    want: { servers: ['fe80::1%eth0', '2001:db8::53'], search: [], ndots: 1 },
  },
  {
    name: 'carriage returns are part of what they follow',
    text: 'nameserver 192.0.2.1\r\nnameserver 192.0.2.2\n',
    want: { servers: ['192.0.2.2'], search: [], ndots: 1 },
  },
  {
    name: 'an empty search path changes nothing',
    text: 'search a.test\nsearch\nsearch \ndomain \nnameserver 192.0.2.1',
    want: { servers: ['192.0.2.1'], search: ['a.test'], ndots: 1 },
  },
  {
    name: 'the last of search and domain wins',
    text: 'search a.test b.test\ndomain c.test d.test\nnameserver 192.0.2.1',
    want: { servers: ['192.0.2.1'], search: ['c.test'], ndots: 1 },
  },
  {
    name: 'comments and junk',
    text: '# nameserver 192.0.2.9\n;nameserver 192.0.2.9\nnameserver\nnameserver dns.test\nnameserver 192.0.2.1 # mine\nwhat is this',
    want: { servers: ['192.0.2.1'], search: [], ndots: 1 },
  },
  {
    name: 'the last ndots',
    text: 'options ndots:2\noptions rotate ndots:3',
    want: { servers: ['127.0.0.1'], search: [], ndots: 3 },
  },
  { name: 'ndots too large', text: 'options ndots:400', want: { servers: ['127.0.0.1'], search: [], ndots: 15 } },
  {
    name: 'ndots that is no number is 0',
    text: 'options ndots:4 ndots:x',
    want: { servers: ['127.0.0.1'], search: [], ndots: 0 },
  },
  {
    name: 'ndots after a blank',
    text: 'options ndots: 4',
    want: { servers: ['127.0.0.1'], search: [], ndots: 4 },
  },
  {
    name: 'a search path of the root',
    text: 'search . a.test.',
    want: { servers: ['127.0.0.1'], search: ['a.test'], ndots: 1 },
  },
]

for (const { name, text, want } of parseCases) {
  t.test(`resolv.conf: ${name}`, async t => {
    t.strictSame(parseResolvConf(text), { byTcp: false, ...want })
  })
}

interface NameCase {
  readonly name: string
  readonly asked: string
  readonly search: readonly string[]
  readonly ndots: number
  readonly want: readonly string[]
}

const long = 'a'.repeat(63)

const nameCases: readonly NameCase[] = [
  { name: 'no search path', asked: 'example.com', search: [], ndots: 1, want: ['example.com'] },
  {
    name: 'few dots: search first',
    asked: 'kubernetes',
    search: ['a.test', 'b.test'],
    ndots: 1,
    want: ['kubernetes.a.test', 'kubernetes.b.test', 'kubernetes'],
  },
  {
    name: 'enough dots: as it is first',
    asked: 'example.com',
    search: ['a.test'],
    ndots: 1,
    want: ['example.com', 'example.com.a.test'],
  },
  { name: 'a final dot: as it is only', asked: 'kubernetes.', search: ['a.test'], ndots: 5, want: ['kubernetes'] },
  { name: 'the same domain twice', asked: 'x', search: ['a.test', 'a.test'], ndots: 1, want: ['x.a.test', 'x'] },
  { name: 'a label that is too long', asked: `${long}a.test`, search: ['b.test'], ndots: 1, want: [] },
  {
    name: 'a name that fits only without the search path',
    asked: `${long}.${long}.${long}.${'b'.repeat(60)}`,
    search: ['search.test'],
    ndots: 1,
    want: [`${long}.${long}.${long}.${'b'.repeat(60)}`],
  },
  { name: 'an empty label', asked: 'a..b', search: [], ndots: 1, want: [] },
  { name: 'the empty name', asked: '', search: [], ndots: 1, want: [] },
  { name: 'bytes count, not characters', asked: 'é'.repeat(32), search: [], ndots: 1, want: [] },
]

for (const { name, asked, search, ndots, want } of nameCases) {
  t.test(`names to ask for: ${name}`, async t => {
    t.strictSame(candidateNames(asked, { search, ndots }), want)
  })
}

t.test('resolv.conf: any text gives one to three servers, without a throw', async t => {
  const random = createRandom(20_251)
  const words = [
    'nameserver',
    'search',
    'domain',
    'options',
    'ndots:',
    ':',
    '1',
    '.',
    '\n',
    '\r',
    ' ',
    '\t',
    '#',
    '10.0.0.1',
    '::',
    'é',
    '\u0000',
  ]
  const faults: object[] = []
  for (let run = 0; run < 500; run++) {
    const text = Array.from({ length: random(40) }, () => words[random(words.length)]).join(random(2) === 0 ? ' ' : '')
    const { servers, search, ndots } = parseResolvConf(text)
    const fine = servers.length >= 1 && servers.length <= 3 && ndots >= 0 && ndots <= 15 && !search.includes('')
    if (!fine) faults.push({ text, servers, search, ndots })
  }
  t.strictSame(faults, [])
})
