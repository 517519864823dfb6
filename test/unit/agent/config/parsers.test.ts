import t from 'tap'
import * as parse from '../../../../agent/config/parsers.ts'
import { createRandom } from '../verify/seeded-random.ts'

interface Case {
  readonly name: string
  readonly parse: parse.Parse<unknown>
  readonly good: Readonly<Record<string, unknown>>
  readonly bad: readonly string[]
}

const long = 'a'.repeat(64)

const cases: readonly Case[] = [
  {
    name: 'duration',
    parse: parse.duration({ leastMs: 0 }),
    good: {
      '500ms': 500,
      '2s': 2000,
      '1.5s': 1500,
      '5m': 300_000,
      '1h': 3_600_000,
      '1m30s': 90_000,
      '10': 10_000,
      '0': 0,
      '0.25': 250,
    },
    bad: ['', 's', '5 s', '5d', '1e3', '-1s', '+1s', 'NaN', 'Infinity', '1,5s', '5S', '.5s', '99999999999999999999h'],
  },
  {
    name: 'whole number',
    parse: parse.wholeNumber({ least: 1 }),
    good: { '1': 1, '007': 7, '999999999': 999_999_999 },
    bad: ['', '0', '-1', '1.0', '1e3', '0x10', '1000000000', ' 1', '١'],
  },
  {
    name: 'bool',
    parse: parse.bool,
    good: { true: true, FALSE: false, True: true },
    bad: ['', '1', 'yes', 'on', 'truee', 'null'],
  },
  {
    name: 'listen address',
    parse: parse.listenAddress,
    good: {
      ':8080': { host: '', port: 8080 },
      '127.0.0.1:1': { host: '127.0.0.1', port: 1 },
      '[::]:80': { host: '::', port: 80 },
      'localhost:65535': { host: 'localhost', port: 65_535 },
    },
    bad: [
      '',
      '8080',
      ':0',
      ':65536',
      '::1:80',
      '[::1]',
      '[nonsense]:80',
      '[12]:80',
      '300.1.1.1:80',
      '1.2.3:80',
      'a b:80',
      'http://a:80',
      ':8080x',
    ],
  },
  {
    name: 'endpoint',
    parse: parse.endpoint,
    good: {
      'a.example.:53': { host: 'a.example.', port: 53 },
      '[2001:db8::1]:443': { host: '2001:db8::1', port: 443 },
    },
    bad: [':80', 'a', 'a:', '-a:1', `${long}.b:1`, 'a..b:1'],
  },
  {
    name: 'list',
    parse: parse.list(parse.interfaceName),
    good: { '': [], wg0: ['wg0'], ' wg0 , wg1': ['wg0', 'wg1'] },
    bad: [',', 'wg0,', 'wg0,,wg1', 'wg/0', 'sixteen-letters-', 'wg 0', '..'],
  },
  {
    name: 'list of file names',
    parse: parse.list(parse.fileName),
    good: { '': [], bridge: ['bridge'], 'bridge, host-local': ['bridge', 'host-local'] },
    bad: ['bridge,', '/opt/cni/bin/bridge', 'a\\b', '.', '..', 'a b', 'a\0', 'x'.repeat(256)],
  },
  {
    name: 'list that must name something',
    parse: parse.someOf(parse.oneOf('host', 'sandbox')),
    good: { host: ['host'], 'sandbox,host,HOST': ['sandbox', 'host'] },
    bad: ['', ' ', 'pod', 'host,'],
  },
  {
    name: 'domain or address',
    parse: parse.domainOrAddress,
    good: {
      'example.com': 'example.com',
      'example.com.': 'example.com.',
      _sip: '_sip',
      '8.8.8.8': '8.8.8.8',
      '::1': '::1',
    },
    bad: ['', '.', 'a..b', '-a.b', 'a b', '999.1.1.1', 'x'.repeat(254), `${long}.com`, 'ex*mple.com', 'bücher.example'],
  },
  {
    name: 'address',
    parse: parse.address,
    good: { '203.0.113.7': '203.0.113.7', 'fd00::1': 'fd00::1' },
    bad: ['', '1', '1.2.3', '010.0.0.1', 'fd00::1/64', 'host'],
  },
  {
    name: 'object name',
    parse: parse.objectName,
    good: { 'n1.example-x': 'n1.example-x' },
    bad: ['', 'N1', 'a_b', '-a', 'a-', 'a..b', 'x'.repeat(254), 'a/b'],
  },
  {
    name: 'taint or label key',
    parse: parse.qualifiedName,
    good: { 'node-ready/unverified': 'node-ready/unverified', Plain_1: 'Plain_1' },
    bad: ['', '/', 'a/', '/a', 'a/b/c', `a/${long}`, 'A.b/c', 'a b'],
  },
  {
    name: 'label value',
    parse: parse.labelValue,
    good: { '': '', 'a.b_c-d': 'a.b_c-d' },
    bad: ['-a', 'a-', long, 'a b', 'a/b'],
  },
  {
    name: 'path',
    parse: parse.path,
    good: { '/': '/', '/opt/cni bin': '/opt/cni bin' },
    bad: ['', 'opt', './opt', '/a\0b'],
  },
  {
    name: 'URL',
    parse: parse.httpUrl,
    good: {
      'https://api.example.test': 'https://api.example.test',
      'http://10.0.0.1:8081/': 'http://10.0.0.1:8081',
      'https://example.test/netmaker//': 'https://example.test/netmaker',
      'HTTPS://[2001:db8::1]': 'https://[2001:db8::1]',
    },
    bad: ['', 'api.example.test', 'ftp://x', 'https://', 'https://u:p@x', 'https://u@x', 'https://x?y', 'https://x#y'],
  },
  {
    name: 'name of a cluster',
    parse: parse.clusterName,
    good: { '': '', 'blue-1': 'blue-1' },
    bad: ['a b', 'a=b', 'a\n', long.repeat(4)],
  },
  {
    name: 'count or share',
    parse: parse.countOrShare,
    good: {
      '0': { nodes: 0 },
      '3': { nodes: 3 },
      '20%': { share: 0.2 },
      '12.5%': { share: 0.125 },
      '100%': { share: 1 },
    },
    bad: ['', '%', '101%', '-1', '1.5', '1e1%', '20 %', '9999999999'],
  },
]

for (const row of cases) {
  t.test(row.name, async t => {
    for (const [text, want] of Object.entries(row.good)) t.same(row.parse(text), want, text)
    for (const text of row.bad) t.throws(() => row.parse(text), parse.ValueFault, JSON.stringify(text))
  })

  const { type, pattern } = row.parse.schema ?? {}
  if (type !== 'string' || typeof pattern !== 'string') continue
  t.test(`${row.name}: what the chart takes`, async t => {
    const taken = new RegExp(pattern, 'u')
    for (const text of Object.keys(row.good)) t.match(text, taken)
    t.ok(
      row.bad.some(text => !taken.test(text)),
      'and it does not take everything',
    )
  })
}

t.test('random text is read or refused, never anything else', async t => {
  const alphabet = [
    '0',
    '1',
    '9',
    '.',
    ':',
    ',',
    '[',
    ']',
    '%',
    's',
    'm',
    'h',
    '/',
    '-',
    '_',
    'a',
    'Z',
    ' ',
    '\0',
    '\n',
    'é',
    '💥',
  ]
  const faults: string[] = []
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed)
    const pick = () => alphabet[random(alphabet.length)] ?? ''
    const text = Array.from({ length: random(12) }, pick).join('')
    for (const row of cases) {
      try {
        row.parse(text)
      } catch (error) {
        if (!(error instanceof parse.ValueFault)) faults.push(`${row.name}: seed ${seed} threw ${String(error)}`)
      }
    }
  }
  t.strictSame(faults, [])
})
