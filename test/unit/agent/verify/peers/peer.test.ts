import t from 'tap'
import { choosePeers, mostPeers, type Peer } from '../../../../../agent/verify/peers/peer.ts'

const fleet = (count: number): Peer[] =>
  Array.from({ length: count }, (_, index) => ({ node: `n${index}`, address: `192.0.2.${index % 250}`, ready: true }))
const names = (peers: readonly Peer[]) => peers.map(({ node }) => node)

t.test('a few, never itself, and the same ones in whatever order they are listed', t => {
  const all = fleet(50)
  for (const { node } of all) {
    const chosen = names(choosePeers(node, all))
    t.equal(chosen.length, mostPeers)
    t.notOk(chosen.includes(node))
    t.strictSame(names(choosePeers(node, all.toReversed())), chosen)
  }
  t.end()
})

t.test('a node that leaves moves only the probes that went to it', t => {
  const all = fleet(100)
  for (const { node } of all.slice(1)) {
    const before = names(choosePeers(node, all))
    const after = names(choosePeers(node, all.slice(1)))
    const stayed = before.filter(each => each !== 'n0')
    t.strictSame(after.slice(0, stayed.length), stayed)
  }
  t.end()
})

t.test('probes spread over the fleet', t => {
  const all = fleet(300)
  const load = new Map<string, number>()
  for (const { node } of all)
    for (const chosen of names(choosePeers(node, all))) load.set(chosen, (load.get(chosen) ?? 0) + 1)
  t.ok(Math.max(...load.values()) <= 5 * mostPeers, 'nobody is everybody’s peer')
  t.ok(load.size > 250, 'hardly anybody is nobody’s')
  t.end()
})

t.test('those that are known to work come first; those without an address not at all', t => {
  const all: Peer[] = fleet(20).map((peer, index) => ({
    ...peer,
    ready: index === 7,
    address: index === 3 ? '' : peer.address,
  }))
  const chosen = choosePeers('n0', all, 19)
  t.equal(chosen[0]?.node, 'n7')
  t.notOk(names(chosen).includes('n3'))
  t.strictSame(choosePeers('n0', []), [])
  t.end()
})
