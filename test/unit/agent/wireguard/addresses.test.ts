import t from 'tap'
import {
  contains,
  formatSocketAddress,
  type Prefix,
  PrefixTable,
  parseAddress,
  parsePrefix,
  parseSocketAddress,
} from '../../../../agent/wireguard/addresses.ts'

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new Error(`${text} is no network`)
  return parsed
}

t.test('one canonical text for a network', async t => {
  for (const [text, canonical] of [
    ['10.42.1.7/24', '10.42.1.0/24'],
    ['10.42.1.0/24', '10.42.1.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['FD00:0:0::1/64', 'fd00::/64'],
    ['::/0', '::/0'],
    ['::ffff:10.42.9.9/120', '10.42.9.0/24'],
    ['::ffff:10.42.9.9/95', undefined],
    ['10.42.1.0/33', undefined],
    ['10.42.1.0', undefined],
    ['10.42/16', undefined],
    ['0x7f.1/8', undefined],
    ['', undefined],
    ['/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['nonsense/8', undefined],
  ] as const)
    t.equal(parsePrefix(text)?.text, canonical, text)
})

t.test('an endpoint', async t => {
  for (const [text, address, port] of [
    ['203.0.113.3:51821', '203.0.113.3', 51821],
    ['[2001:DB8::1]:1', '2001:db8::1', 1],
    ['[fe80::1%eth0]:51821', 'fe80::1', 51821],
    ['[::ffff:10.42.1.7]:51821', '10.42.1.7', 51821],
  ] as const)
    t.strictSame(parseSocketAddress(text), { address, port }, text)
  for (const text of ['', ':1', '203.0.113.3', '203.0.113.3:', '203.0.113.3:70000', '2001:db8::1:51821', 'name:51821'])
    t.equal(parseSocketAddress(text), undefined, text)
  t.equal(formatSocketAddress({ address: '2001:db8::1', port: 1 }), '[2001:db8::1]:1')
  t.equal(formatSocketAddress({ address: '203.0.113.3', port: 1 }), '203.0.113.3:1')
})

t.test('the longest network that holds an address', async t => {
  const table = new PrefixTable<string>()
  for (const text of ['10.42.0.0/16', '10.42.1.0/24', '10.42.1.128/25', 'fd00:42::/48', '100.64.7.0/24'])
    table.add(prefix(text), text)
  for (const [address, found] of [
    ['10.42.1.0', '10.42.1.0/24'],
    ['10.42.1.255', '10.42.1.128/25'],
    ['10.42.2.1', '10.42.0.0/16'],
    ['::ffff:10.42.1.7', '10.42.1.0/24'],
    ['fd00:42::9', 'fd00:42::/48'],
    ['100.64.7.1', '100.64.7.0/24'],
    ['10.43.0.1', undefined],
    ['192.168.1.1', undefined],
    ['fd00:43::', undefined],
    ['::a2a:100', undefined],
  ] as const) {
    const parsed = parseAddress(address)
    t.equal(parsed && table.find(parsed), found, address)
  }
})

t.test('one network in another', async t => {
  t.ok(contains(prefix('10.42.0.0/16'), prefix('10.42.3.0/24')))
  t.ok(contains(prefix('10.42.3.0/24'), prefix('10.42.3.0/24')))
  t.notOk(contains(prefix('10.42.3.0/24'), prefix('10.42.0.0/16')))
  t.notOk(contains(prefix('10.42.3.0/24'), prefix('10.42.4.0/24')))
  t.notOk(contains(prefix('::/0'), prefix('10.42.4.0/24')), 'not across families')
})
