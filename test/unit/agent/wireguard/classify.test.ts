import t from 'tap'
import {
  classifyDevices,
  type EndpointClass,
  type PeerView,
  type Surroundings,
} from '../../../../agent/wireguard/classify.ts'
import { DeviceFault, type Peer } from '../../../../agent/wireguard/device.ts'
import type { MeshFacts } from '../../../../agent/wireguard/mesh-map.ts'
import { facts, network, peer, reading, surroundings } from './mesh.ts'
import { keyPair } from './samples.ts'

interface Case {
  readonly name: string
  readonly endpoint: string | undefined
  readonly want: EndpointClass
  readonly number?: number
  readonly peer?: Partial<Peer> & { allowed?: string }
  readonly around?: Partial<Surroundings> & { readonly facts?: MeshFacts }
}

const others = '10.101.0.2/32'
const strange: MeshFacts = {
  ...facts,
  networks: [network(1), network(2, { podCIDRs: ['10.42.2.0/24', 'fd42:2::/64', '100.64.2.0/24'] }), network(3)],
}

const cases: readonly Case[] = [
  { name: 'where it should be', endpoint: '203.0.113.2:51821', want: 'expected' },
  { name: 'behind another port of the same address', endpoint: '203.0.113.2:40000', want: 'expected' },
  { name: 'nowhere yet', endpoint: undefined, want: 'none' },
  { name: 'a LAN in 10/8 beside the pods', endpoint: '10.40.0.2:51821', want: 'lan' },
  { name: 'a LAN in 192.168/16', endpoint: '192.168.1.2:51821', want: 'lan' },
  { name: "a carrier's network", endpoint: '100.64.9.2:51821', want: 'lan' },
  { name: 'a ULA', endpoint: '[fd00:9::2]:51821', want: 'lan' },
  { name: 'a public address that it does not name', endpoint: '198.51.100.9:51821', want: 'unknown' },
  { name: "in its own pods' network", endpoint: '10.42.2.7:51821', want: 'leaked', peer: { allowed: others } },
  { name: "in another node's", endpoint: '10.42.3.7:51821', want: 'leaked' },
  { name: "in this node's", endpoint: '10.42.1.7:51821', want: 'leaked' },
  { name: 'the network address', endpoint: '10.42.3.0:51821', want: 'leaked' },
  { name: 'the last address', endpoint: '10.42.3.255:51821', want: 'leaked' },
  { name: 'in IPv6 clothes', endpoint: '[::ffff:10.42.3.7]:51821', want: 'leaked' },
  { name: 'ULA pods', endpoint: '[fd42:2::9]:51821', want: 'leaked', around: { facts: strange } },
  { name: '100.64/10 pods', endpoint: '100.64.2.9:51821', want: 'leaked', around: { facts: strange } },
  { name: 'the services', endpoint: '10.96.0.10:51821', want: 'leaked' },
  { name: 'this node itself', endpoint: '203.0.113.1:51821', want: 'leaked' },
  { name: 'the loopback', endpoint: '127.0.0.1:51821', want: 'leaked' },
  { name: 'the loopback, IPv6', endpoint: '[::1]:51821', want: 'leaked' },
  { name: 'no address at all', endpoint: '0.0.0.0:51821', want: 'leaked' },
  { name: 'of one link', endpoint: '169.254.7.7:51821', want: 'leaked' },
  {
    name: "in its own pods' network, which the kernel routes elsewhere",
    endpoint: '10.42.2.0:51821',
    want: 'leaked',
    around: { routeTo: () => ({ device: 'cilium_host', tunnel: false }) },
  },
  {
    name: 'in its own network, routed into the device itself',
    endpoint: '10.42.2.0:51821',
    want: 'loop',
    around: { routeTo: () => ({ device: 'wg0', tunnel: true }) },
  },
  {
    name: 'in its own network, and sent to without end',
    endpoint: '10.42.2.0:51821',
    want: 'loop',
    around: { isRunaway: () => true },
  },
  {
    name: 'in its own network, the way not known',
    endpoint: '10.101.0.2:51821',
    want: 'loop',
    around: { routeTo: () => undefined },
  },
  {
    name: 'a LAN that the peer also routes, reached directly',
    endpoint: '192.168.1.2:51821',
    want: 'lan',
    peer: { allowed: '192.168.1.0/24' },
  },
  {
    name: 'a way out to the internet, the way to it not known',
    endpoint: '203.0.113.2:51821',
    want: 'expected',
    peer: { allowed: '0.0.0.0/0' },
    around: { routeTo: () => undefined },
  },
  {
    name: 'a way out to the internet that is routed into itself',
    endpoint: '203.0.113.2:51821',
    want: 'loop',
    peer: { allowed: '0.0.0.0/0' },
    around: { routeTo: () => ({ device: 'wg0', tunnel: true }) },
  },
  {
    name: 'a way out to the internet by which much is sent and nothing comes back, as of a camera',
    endpoint: '203.0.113.2:51821',
    want: 'expected',
    peer: { allowed: '0.0.0.0/0,10.42.2.0/24' },
    around: { isRunaway: () => true },
  },
  {
    name: 'the same of a LAN behind a peer that is on it',
    endpoint: '192.168.1.5:51821',
    want: 'lan',
    peer: { allowed: '192.168.1.0/24,10.42.2.0/24' },
    around: { isRunaway: () => true },
  },
  {
    name: 'much is sent, and the kernel has not said where',
    endpoint: '192.168.1.5:51821',
    want: 'loop',
    peer: { allowed: '192.168.1.0/24,10.42.2.0/24' },
    around: { isRunaway: () => true, routeTo: () => ({ device: '', tunnel: false }) },
  },
  {
    name: 'behind another WireGuard device, though it shakes hands',
    endpoint: '203.0.113.2:51821',
    want: 'nested',
    around: { routeTo: () => ({ device: 'wg1', tunnel: false }) },
  },
  {
    name: 'behind a tunnel of another kind',
    endpoint: '192.168.1.2:51821',
    want: 'nested',
    around: { routeTo: () => ({ device: 'flannel.1', tunnel: true }) },
  },
  { name: 'silent', endpoint: '203.0.113.2:51821', want: 'stale', peer: { handshakeMs: 820_000 } },
  { name: 'nearly silent', endpoint: '203.0.113.2:51821', want: 'expected', peer: { handshakeMs: 820_001 } },
  {
    name: 'silent, but nobody asked it to talk',
    endpoint: '203.0.113.2:51821',
    want: 'expected',
    peer: { handshakeMs: 0, keepalive: 0 },
  },
  {
    name: 'not heard of for long',
    endpoint: '203.0.113.2:51821',
    want: 'stale',
    peer: { handshakeMs: undefined },
    around: { knownForMs: () => 180_000 },
  },
  { name: 'not heard of, but new', endpoint: '203.0.113.2:51821', want: 'expected', peer: { handshakeMs: undefined } },
  { name: 'silent and leaked', endpoint: '10.42.3.7:51821', want: 'leaked', peer: { handshakeMs: 1 } },
  { name: "somebody's laptop", number: 9, endpoint: '198.51.100.9:51821', want: 'unknown' },
  {
    name: "somebody's laptop in a pod network",
    number: 9,
    endpoint: '10.42.3.7:51821',
    want: 'unknown',
    peer: { handshakeMs: 1 },
  },
  { name: "somebody's laptop, away", number: 9, endpoint: undefined, want: 'none' },
  {
    name: 'a node that does not know its address',
    endpoint: '203.0.113.2:51821',
    want: 'unknown',
    around: { facts: { ...facts, networks: [network(1), network(2, { endpoint: undefined })] } },
  },
  {
    name: 'a key that two nodes claim',
    endpoint: '10.42.3.7:51821',
    want: 'unknown',
    around: { facts: { ...facts, networks: [network(2), network(3, { devices: network(2).spec.devices })] } },
  },
  {
    name: 'a node that claims the whole internet for its pods',
    endpoint: '203.0.113.2:51821',
    want: 'expected',
    around: { facts: { ...facts, networks: [network(2), network(3, { podCIDRs: ['0.0.0.0/0', '::/0', 'junk'] })] } },
  },
]

function classify(peers: readonly Peer[], around = surroundings()): readonly PeerView[] {
  return classifyDevices([reading(peers), reading([], 'wg1')], around)[0]?.peers ?? []
}

for (const row of cases) {
  t.test(row.name, async t => {
    const [view] = classify([peer(row.number ?? 2, row.endpoint, row.peer)], surroundings(row.around))
    t.equal(view?.class, row.want, view?.detail ?? 'no peer')
  })
}

t.test('what is shown of a peer', async t => {
  const [view] = classify([peer(2, '203.0.113.2:51821')])
  t.strictSame(view, {
    publicKey: keyPair(2).publicKey,
    node: 'n2',
    endpoint: '203.0.113.2:51821',
    class: 'expected',
    detail: '',
    handshakeAge: 1,
    allowedIPs: ['10.101.0.2/32', '10.42.2.0/24'],
    missingAllowedIPs: [],
    rxBytes: 10,
    txBytes: 20,
  })
  const [laptop] = classify([peer(9, undefined, { handshakeMs: undefined })])
  t.match(laptop, { node: null, endpoint: null, handshakeAge: null, missingAllowedIPs: [] })
})

t.test('missing allowed-ips', async t => {
  const twoNets = { ...facts, networks: [network(2, { podCIDRs: ['10.42.2.0/24', '10.43.2.0/24'] })] }
  const missing = (peers: readonly Peer[], around = surroundings()) =>
    classify(peers, around).map(view => view.missingAllowedIPs)
  t.strictSame(missing([peer(2, undefined, { allowed: others })]), [['10.42.2.0/24']])
  t.strictSame(missing([peer(2, undefined, { allowed: '10.42.0.0/16' })]), [[]], 'a wider one will do')
  t.strictSame(
    missing([peer(2, undefined, { allowed: '10.42.2.0/25' })]),
    [['10.42.2.0/24']],
    'a narrower one will not',
  )
  t.strictSame(
    missing([peer(2, undefined, { allowed: others }), peer(3, undefined, { allowed: '10.42.2.0/24,10.42.3.0/24' })]),
    [['10.42.2.0/24'], []],
    "another node's peer has it",
  )
  t.strictSame(missing([peer(2, undefined)], surroundings({ facts: twoNets })), [['10.43.2.0/24']], 'one of two')
  t.strictSame(missing([peer(9, undefined, { allowed: others })]), [[]], 'nobody has pods')
})

t.test('a node with two devices needs its networks on one of them', async t => {
  const second = { name: 'wg1', publicKey: keyPair(12).publicKey, listenPort: 51822 }
  const both = { ...facts, networks: [network(2, { devices: [...network(2).spec.devices, second] })] }
  const [one, two] = classifyDevices(
    [
      reading([peer(2, undefined, { allowed: others })]),
      reading([peer(12, undefined, { allowed: '10.42.2.0/24' })], 'wg1'),
    ],
    surroundings({ facts: both }),
  )
  t.match(
    [one?.peers[0], two?.peers[0]],
    [
      { node: 'n2', missingAllowedIPs: [] },
      { node: 'n2', missingAllowedIPs: [] },
    ],
  )
})

t.test('a device that cannot be read says so, and the other is read', async t => {
  const views = classifyDevices(
    [
      { name: 'wg0', kind: 'kernel', fault: new DeviceFault('TimedOut', 'no reply') },
      reading([peer(2, undefined)], 'wg1'),
    ],
    surroundings(),
  )
  t.match(views, [
    { name: 'wg0', readable: false, fault: 'no reply', peers: [] },
    { name: 'wg1', readable: true, peers: [{ node: 'n2' }] },
  ])
})
