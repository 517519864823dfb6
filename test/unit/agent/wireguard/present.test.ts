import t from 'tap'
import { classifyDevices } from '../../../../agent/wireguard/classify.ts'
import { DeviceFault, type DeviceReading } from '../../../../agent/wireguard/device.ts'
import { formatDevicesJson, formatDevicesText, isBad } from '../../../../agent/wireguard/present.ts'
import { peer, reading, surroundings } from './mesh.ts'
import { keyPair } from './samples.ts'

function show(readings: readonly DeviceReading[]): readonly string[] {
  return formatDevicesText(classifyDevices(readings, surroundings())).split('\n')
}

t.test('a table for people', async t => {
  const key = keyPair(9).publicKey.slice(0, 8)
  t.strictSame(
    show([
      reading([
        peer(2, '203.0.113.2:51821', { rxBytes: 1023, txBytes: 5 * 2 ** 30 }),
        peer(3, '10.42.3.0:51821', { allowed: '10.101.0.3/32', handshakeMs: 400_000 }),
        peer(9, undefined, { handshakeMs: undefined }),
      ]),
      { name: 'wg1', kind: 'userspace', fault: new DeviceFault('TimedOut', 'no whole reply within 500 ms') },
      reading([], 'wg2'),
    ]),
    [
      'NODE        INTERFACE  ENDPOINT           CLASS     HANDSHAKE  ALLOWED-IPS  RX      TX',
      'n2          wg0        203.0.113.2:51821  expected  1s         ok           1023 B  5.0 GiB',
      'n3          wg0        10.42.3.0:51821    leaked    10m        1 missing    10 B    20 B',
      `(${key})  wg0        -                  none      never      ok           10 B    20 B`,
      '',
      'n3 on wg0: leaked: endpoint 10.42.3.0:51821 is in the pod network of n3',
      "n3 on wg0: no allowed-ip for its pods' network 10.42.3.0/24",
      'wg1 (userspace) cannot be read: no whole reply within 500 ms',
      'wg2 has no peers',
      '',
    ],
  )
})

t.test('little to show', async t => {
  t.strictSame(show([]), ['this node has no WireGuard device', ''])
  t.strictSame(show([reading([])]), ['wg0 has no peers', ''])
})

t.test('one document for programs', async t => {
  const text = formatDevicesJson('n1', classifyDevices([reading([peer(2, '203.0.113.2:51821')])], surroundings()))
  t.equal(text.indexOf('\n'), text.length - 1)
  t.match(JSON.parse(text), {
    node: 'n1',
    devices: [
      { name: 'wg0', kind: 'userspace', readable: true, peers: [{ node: 'n2', class: 'expected', handshakeAge: 1 }] },
    ],
  })
})

t.test('what is bad', async t => {
  const bad = (endpoint: string | undefined, more = {}) =>
    classifyDevices([reading([peer(2, endpoint, more)])], surroundings()).flatMap(device => device.peers.map(isBad))
  t.strictSame(bad('203.0.113.2:51821'), [false])
  t.strictSame(bad('10.40.0.2:51821'), [false])
  t.strictSame(bad('198.51.100.2:51821'), [false])
  t.strictSame(bad(undefined), [false])
  t.strictSame(bad('10.42.3.1:51821'), [true])
  t.strictSame(bad('203.0.113.2:51821', { handshakeMs: 1 }), [true])
  t.strictSame(bad('203.0.113.2:51821', { allowed: '10.101.0.2/32' }), [true])
})
