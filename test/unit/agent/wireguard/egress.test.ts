import t from 'tap'
import type { NodeNetwork } from '../../../../agent/kube/node-network.ts'
import { findEgress, judgeEgress } from '../../../../agent/wireguard/egress.ts'
import { network } from './mesh.ts'

/** A node that has found that these pod CIDRs are no allowed-ips there. */
function lacks(number: number, ...missingAllowedIPs: readonly string[]): NodeNetwork {
  const status = { verdict: 'Ready', reason: 'Verified', peers: {}, egress: undefined, observedMs: 1 } as const
  return { ...network(number), status: { ...status, missingAllowedIPs } }
}

const own = '10.42.1.0/24'
const silent = network(4)
const bare: NodeNetwork = { ...lacks(5, own), spec: network(5, { devices: [] }).spec }

interface Case {
  readonly name: string
  readonly networks: readonly NodeNetwork[]
  readonly want: string
}

const cases: readonly Case[] = [
  { name: 'known to all', networks: [network(1), lacks(2), lacks(3, '10.42.2.0/24')], want: 'pass - 2/2' },
  { name: 'not to one', networks: [network(1), lacks(2, own), lacks(3)], want: 'warn CIDRNotRouted 1/2 not n2' },
  {
    name: 'to none of two',
    networks: [network(1), lacks(2, own), lacks(3, own)],
    want: 'fail CIDRNotRouted 0/2 not n2 n3',
  },
  {
    name: 'not to the only one, which may be at fault',
    networks: [network(1), lacks(2, own)],
    want: 'warn CIDRNotRouted 0/1 not n2',
  },
  {
    name: 'one that has said nothing yet does not count',
    networks: [network(1), lacks(2, own), silent],
    want: 'warn CIDRNotRouted 0/1 not n2',
  },
  {
    name: 'one without a device does not either',
    networks: [network(1), lacks(2, own), bare],
    want: 'warn CIDRNotRouted 0/1 not n2',
  },
  { name: 'what it says of itself counts for nothing', networks: [lacks(1, own), lacks(2)], want: 'pass - 1/1' },
  {
    name: 'one of two CIDRs is enough to be missed',
    networks: [network(1, { podCIDRs: [own, 'fd00:42::/64'] }), lacks(2, 'fd00:42::/64'), lacks(3, own)],
    want: 'fail CIDRNotRouted 0/2 not n2 n3',
  },
  {
    name: 'however it is written',
    networks: [network(1, { podCIDRs: ['FD00:42:0::/64'] }), lacks(2, 'fd00:42::/64'), lacks(3)],
    want: 'warn CIDRNotRouted 1/2 not n2',
  },
  { name: 'nobody else', networks: [network(1)], want: 'skip NoPeers 0/0' },
  { name: 'no CIDR', networks: [network(1, { podCIDRs: [] }), lacks(2)], want: 'skip NoNetwork 1/1' },
  { name: 'no device', networks: [network(1, { devices: [] }), lacks(2)], want: 'skip NoDevice 1/1' },
  { name: 'not published yet', networks: [lacks(2), lacks(3)], want: 'skip NoNetwork 2/2' },
]

for (const { name, networks, want } of cases) {
  t.test(`egress: ${name}`, async t => {
    const found = findEgress('n1', networks)
    const { result, reason = '-' } = judgeEgress(found)
    const not = found.missing.length === 0 ? '' : ` not ${found.missing.join(' ')}`
    t.equal(`${result} ${reason} ${found.peers - found.missing.length}/${found.peers}${not}`, want)
  })
}

t.test('it names who does not route, as far as people read', async t => {
  const most = [2, 3, 4, 5, 6, 7, 8].map(number => lacks(number, own))
  const { target, message } = judgeEgress(findEgress('n1', [network(1), lacks(9), ...most]))
  t.equal(target, own)
  t.equal(message, 'allowed-ips at 1 of 8 peers, not at n2, n3, n4, n5, n6 and 2 more')
})
