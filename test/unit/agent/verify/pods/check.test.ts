import t from 'tap'
import { CheckFault } from '../../../../../agent/verify/check.ts'
import type { Peer } from '../../../../../agent/verify/peers/peer.ts'
import { createPodsCheck, isReached } from '../../../../../agent/verify/pods/check.ts'
import type { PodPort } from '../../../../../agent/verify/pods/pod-port.ts'
import { runFromHost } from '../run-check.ts'

const peer = (node: string, ...podAddresses: readonly string[]): Peer => ({
  node,
  address: '192.0.2.1',
  ready: true,
  podAddresses,
})

/** A world in which some addresses are deaf, and some swallow packets larger than so many bytes. */
function world(deaf: readonly string[], holes: Readonly<Record<string, number>> = {}) {
  const sent: string[] = []
  const refuse = () => Promise.reject(new CheckFault('PodsUnreachable', 'no answer in time'))
  const pods: PodPort = {
    connect: async address => {
      if (deaf.includes(address)) await refuse()
    },
    async send(address, bytes) {
      sent.push(`${address} ${bytes}`)
      if (bytes > (holes[address] ?? Number.POSITIVE_INFINITY)) await refuse()
    },
  }
  return { sent, pods }
}

interface Case {
  readonly name: string
  readonly peers: readonly Peer[]
  readonly deaf?: readonly string[]
  readonly holes?: Readonly<Record<string, number>>
  readonly families?: 'any' | 'all' | 'primary'
  readonly mtu?: number
  readonly want: readonly string[]
  readonly sent?: readonly string[]
}

const both = peer('n2', '10.42.2.9', 'fd00:42::9')

const cases: readonly Case[] = [
  { name: 'nobody to ask', peers: [], want: ['skip NoPeers pods of two nodes'] },
  { name: 'one without a standing sandbox', peers: [peer('n2')], want: ['skip NoPeers pods of two nodes'] },
  {
    name: 'full size is what the interface takes',
    peers: [peer('n2', '10.42.2.9'), peer('n3', 'fd00:43::9')],
    want: ['pass - n1 to n2', 'pass - n1 to n3'],
    sent: ['10.42.2.9 1392', 'fd00:43::9 1372'],
  },
  {
    name: 'where it is not known, a usual one',
    peers: [peer('n2', '10.42.2.9')],
    mtu: 0,
    want: ['pass - n1 to n2'],
    sent: ['10.42.2.9 1472'],
  },
  {
    name: 'one is deaf',
    peers: [peer('n2', '10.42.2.9'), peer('n3', '10.42.3.9')],
    deaf: ['10.42.2.9'],
    want: ['fail PodsUnreachable n1 to n2', 'pass - n1 to n3'],
    sent: ['10.42.3.9 1392'],
  },
  {
    name: 'small packets alone come through',
    peers: [peer('n2', '10.42.2.9')],
    holes: { '10.42.2.9': 1391 },
    want: ['fail PodsUnreachable n1 to n2'],
  },
  { name: 'any family', peers: [both], deaf: ['10.42.2.9'], want: ['pass - n1 to n2'] },
  {
    name: 'all families',
    peers: [both],
    deaf: ['fd00:42::9'],
    families: 'all',
    want: ['fail PodsUnreachable n1 to n2'],
  },
  {
    name: 'the primary family',
    peers: [both],
    deaf: ['fd00:42::9'],
    families: 'primary',
    want: ['pass - n1 to n2'],
    sent: ['10.42.2.9 1392'],
  },
]

for (const { name, peers, deaf = [], holes, families = 'any', mtu = 1420, want, sent } of cases) {
  t.test(`pods check: ${name}`, async t => {
    const { pods, sent: found } = world(deaf, holes)
    const port = { mtuTowards: async () => (mtu === 0 ? undefined : mtu) }
    const check = createPodsCheck({ limitMs: 1000, node: 'n1', families, pods, port, peers: async () => peers })
    const results = await runFromHost(check)
    t.strictSame(
      results.map(({ result, reason = '-', target }) => `${result} ${reason} ${target}`),
      want,
    )
    if (sent !== undefined) t.strictSame([...found].sort(), [...sent].sort())
  })
}

t.test('the message says how far packets came', async t => {
  const { pods } = world(['10.42.3.9'], { '10.42.2.9': 100 })
  const port = { mtuTowards: async () => 1420 }
  const peers = async () => [peer('n2', '10.42.2.9'), peer('n3', '10.42.3.9'), peer('n4', '10.42.4.9')]
  const check = createPodsCheck({ limitMs: 1000, node: 'n1', families: 'any', pods, port, peers })
  t.strictSame(
    (await runFromHost(check)).map(({ message }) => message),
    [
      '10.42.2.9, by packets of 1420 bytes: no answer in time',
      '10.42.3.9: no answer in time',
      '10.42.4.9 answers, also packets of 1420 bytes',
    ],
  )
})

t.test('a deaf one holds nobody up for longer than the limit', async t => {
  const pods: PodPort = {
    connect: (_, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    send: async () => undefined,
  }
  const port = { mtuTowards: async () => 1420 }
  const peers = async () => [peer('n2', '10.42.2.9')]
  const check = createPodsCheck({ limitMs: 50, node: 'n1', families: 'any', pods, port, peers })
  t.match(await runFromHost(check), [{ result: 'fail', reason: 'PodsUnreachable' }])
  const late = new AbortController()
  setTimeout(() => late.abort(), 10)
  t.equal(await isReached('10.42.2.9', { pods, port }, late.signal), false)
  t.equal(await isReached('10.42.2.9', { pods: world([]).pods, port }, new AbortController().signal), true)
})
