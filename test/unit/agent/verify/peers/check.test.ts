import t from 'tap'
import type { Vantage } from '../../../../../agent/verdict/verdict.ts'
import { CheckFault } from '../../../../../agent/verify/check.ts'
import { createMtuCheck, createPeersCheck } from '../../../../../agent/verify/peers/check.ts'
import type { PeerPort } from '../../../../../agent/verify/peers/exchange.ts'
import type { Peer } from '../../../../../agent/verify/peers/peer.ts'
import { runFromHost, summarize } from '../run-check.ts'

const a: Peer = { node: 'a', address: '192.0.2.1', ready: true }
const b: Peer = { node: 'b', address: '192.0.2.2', ready: true }
const c: Peer = { node: 'c', address: '2001:db8::3', ready: true }
const host = '10.42.1.1'
const starting: Peer = { node: 's', address: '192.0.2.9', ready: false }

interface PeersCase {
  readonly name: string
  readonly peers: readonly Peer[]
  /** Largest datagram, with headers, that comes back from an address; absent = all of them. */
  readonly takes?: Readonly<Record<string, number>>
  readonly from?: Vantage
  readonly mtu?: number
  /** Address of the own node, from a sandbox. */
  readonly host?: string
  readonly reach: readonly string[]
  readonly sizes: readonly string[]
}

const nobody = 'mtu skip NoPeers: peers'

const cases: readonly PeersCase[] = [
  { name: 'no peers', peers: [], reach: ['peers skip NoPeers: peers'], sizes: [nobody] },
  {
    name: 'all answer',
    peers: [a, c],
    reach: ['peers pass: a (192.0.2.1)', 'peers pass: c (2001:db8::3)'],
    sizes: ['mtu pass: a (192.0.2.1) 1420 bytes', 'mtu pass: c (2001:db8::3) 1420 bytes'],
  },
  {
    name: 'one of two is silent',
    peers: [a, b],
    takes: { [b.address]: 0 },
    reach: ['peers pass: a (192.0.2.1)', 'peers warn PeersUnreachable: b (192.0.2.2)'],
    sizes: ['mtu pass: a (192.0.2.1) 1420 bytes'],
  },
  {
    name: 'the only one is silent: it may be at fault itself',
    peers: [a],
    takes: { [a.address]: 0 },
    reach: ['peers warn PeersUnreachable: a (192.0.2.1)'],
    sizes: [nobody],
  },
  {
    name: 'two are silent',
    peers: [a, b],
    takes: { [a.address]: 0, [b.address]: 0 },
    reach: ['peers fail PeersUnreachable: a (192.0.2.1)', 'peers fail PeersUnreachable: b (192.0.2.2)'],
    sizes: [nobody],
  },
  {
    name: 'two are silent, one of which may not be up yet',
    peers: [a, starting],
    takes: { [a.address]: 0, [starting.address]: 0 },
    reach: ['peers warn PeersUnreachable: a (192.0.2.1)', 'peers warn PeersUnreachable: s (192.0.2.9)'],
    sizes: [nobody],
  },
  {
    name: 'the only one is silent from a sandbox: the host knows better',
    peers: [a],
    takes: { [a.address]: 0 },
    from: 'sandbox',
    reach: ['peers fail PeersUnreachable: a (192.0.2.1)'],
    sizes: [nobody],
  },
  {
    name: 'a black hole',
    peers: [a, b],
    takes: { [a.address]: 1300, [b.address]: 1419 },
    reach: ['peers pass: a (192.0.2.1)', 'peers pass: b (192.0.2.2)'],
    sizes: ['mtu fail BlackHole: a (192.0.2.1) 1420 bytes', 'mtu fail BlackHole: b (192.0.2.2) 1420 bytes'],
  },
  {
    name: 'a black hole on the way to one of two',
    peers: [a, b],
    takes: { [a.address]: 1419 },
    reach: ['peers pass: a (192.0.2.1)', 'peers pass: b (192.0.2.2)'],
    sizes: ['mtu warn BlackHole: a (192.0.2.1) 1420 bytes', 'mtu pass: b (192.0.2.2) 1420 bytes'],
  },
  {
    name: 'the interface does not tell its size: usual ones are tried',
    peers: [a],
    takes: { [a.address]: 1390 },
    mtu: 0,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu fail BlackHole: a (192.0.2.1) usual sizes'],
  },
  {
    name: 'an interface that takes more than IP can say',
    peers: [a],
    takes: { [a.address]: 65_535 },
    mtu: 65_536,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu pass: a (192.0.2.1) 65535 bytes'],
  },
  {
    name: 'not even IPv6 fits the interface, and the hole is smaller still',
    peers: [a],
    takes: { [a.address]: 900 },
    mtu: 0,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu fail BlackHole: a (192.0.2.1) usual sizes'],
  },
  {
    name: 'a sandbox whose cable is too narrow: the own node tells, without any peer',
    peers: [],
    takes: { [host]: 1300 },
    from: 'sandbox',
    host,
    reach: ['peers skip NoPeers: peers'],
    sizes: ['mtu fail BlackHole: this node (10.42.1.1) 1420 bytes', nobody],
  },
  {
    name: 'the own node is well, and excuses no hole further on',
    peers: [a],
    takes: { [a.address]: 1300 },
    from: 'sandbox',
    host,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu pass: this node (10.42.1.1) 1420 bytes', 'mtu fail BlackHole: a (192.0.2.1) 1420 bytes'],
  },
  {
    name: 'peers that are well do not excuse the own cable',
    peers: [a],
    takes: { [host]: 1300 },
    from: 'sandbox',
    host,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu fail BlackHole: this node (10.42.1.1) 1420 bytes', 'mtu pass: a (192.0.2.1) 1420 bytes'],
  },
  {
    name: 'the own node answers no pods: that is its right',
    peers: [a],
    takes: { [host]: 0 },
    from: 'sandbox',
    host,
    reach: ['peers pass: a (192.0.2.1)'],
    sizes: ['mtu pass: a (192.0.2.1) 1420 bytes'],
  },
]

for (const row of cases) {
  t.test(`peers: ${row.name}`, async t => {
    const options = {
      limitMs: 40,
      from: row.from ?? 'host',
      port: portOf(row),
      peers: async () => row.peers,
      host: row.host,
    }
    t.strictSame((await runFromHost(createPeersCheck(options))).map(summarize), row.reach)
    t.strictSame((await runFromHost(createMtuCheck(options))).map(summarize), row.sizes)
  })
}

function portOf({ takes = {}, mtu = 1420 }: PeersCase): PeerPort {
  return {
    mtuTowards: async () => (mtu === 0 ? undefined : mtu),
    echo(address, bytes, signal) {
      const packet = bytes + (address.includes(':') ? 48 : 28)
      if (packet <= (takes[address] ?? 1_000_000)) return Promise.resolve()
      const { promise, reject } = Promise.withResolvers<void>()
      const silent = () => reject(new CheckFault('PeersUnreachable', 'no answer in time'))
      signal.addEventListener('abort', silent, { once: true })
      return promise
    },
  }
}
