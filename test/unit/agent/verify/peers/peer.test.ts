import t from 'tap'
import { createPeerTurns, type Peer, targetOf } from '../../../../../agent/verify/peers/peer.ts'

const fleet = (count: number): Peer[] =>
  Array.from({ length: count }, (_, index) => ({ node: `n${index}`, address: `192.0.2.${index % 250}`, ready: true }))
const names = (peers: readonly Peer[]) => peers.map(({ node }) => node)
const first = (node: string, all: readonly Peer[], most = 3) => names(createPeerTurns(node, most).next(all))
const silence = (...peers: readonly Peer[]) => new Set(peers.map(targetOf))

t.test('every pair of 100 nodes has been asked after 17 minutes, at 30 s and three a run', t => {
  const all = fleet(100)
  const runs = (17 * 60) / 30
  const pairs = new Set<string>()
  const most: number[] = []
  for (const { node } of all) {
    const turns = createPeerTurns(node, 3)
    for (let run = 0; run < runs; run++) {
      // In whatever order they are listed.
      const chosen = turns.next(run % 2 === 0 ? all : all.toReversed())
      turns.noteSilent(new Set())
      most.push(chosen.length)
      for (const peer of chosen) pairs.add(`${node} ${peer.node}`)
    }
  }
  t.equal(pairs.size, 100 * 99)
  t.equal(Math.max(...most), 3)
  t.end()
})

t.test('nobody is asked a second time before all have been asked once', t => {
  const all = fleet(8)
  const turns = createPeerTurns('n0', 3)
  const asked = Array.from({ length: 14 }, () => names(turns.next(all))).flat()
  for (let round = 0; round < 6; round++) {
    t.same([...new Set(asked.slice(round * 7, round * 7 + 7))].sort(), names(all.slice(1)), `round ${round + 1}`)
  }
  t.end()
})

t.test('who was silent is asked in the next run too, besides those whose turn it is, until it answers', t => {
  const all = fleet(50)
  const turns = createPeerTurns('n0', 3)
  const [lost, ...others] = turns.next(all)
  if (lost === undefined) throw new Error('nobody was chosen')
  turns.noteSilent(silence(lost))
  const second = turns.next(all)
  t.equal(second.length, 4)
  t.ok(names(second).includes(lost.node))
  t.notOk(others.some(peer => second.includes(peer)))
  turns.noteSilent(silence(lost))
  t.ok(names(turns.next(all)).includes(lost.node), 'silent again, asked again')
  turns.noteSilent(silence())
  t.notOk(names(turns.next(all)).includes(lost.node))
  t.end()
})

t.test('a fleet that is silent altogether does not make the runs grow without bound', t => {
  const all = fleet(200)
  const turns = createPeerTurns('n0', 3)
  const sizes = Array.from({ length: 100 }, () => {
    const chosen = turns.next(all)
    turns.noteSilent(silence(...chosen))
    return chosen.length
  })
  t.equal(Math.max(...sizes), 13)
  t.end()
})

t.test('a silent peer that is gone is forgotten, one that comes has its turn', t => {
  const turns = createPeerTurns('n0', 1)
  const [gone] = turns.next(fleet(3))
  if (gone === undefined) throw new Error('nobody was chosen')
  turns.noteSilent(silence(gone))
  const left = fleet(3).filter(({ node }) => node !== gone.node)
  const comes: Peer = { node: 'n9', address: '192.0.2.9', ready: true }
  t.same([...names(turns.next([...left, comes])), ...names(turns.next([...left, comes]))].sort(), [
    ...['n1', 'n2'].filter(node => node !== gone.node),
    'n9',
  ])
  t.end()
})

t.test('a few, never itself, and the same ones in whatever order they are listed', t => {
  const all = fleet(50)
  for (const { node } of all) {
    const chosen = first(node, all)
    t.equal(chosen.length, 3)
    t.notOk(chosen.includes(node))
    t.strictSame(first(node, all.toReversed()), chosen)
  }
  t.end()
})

t.test('a node that leaves moves only the probes that went to it', t => {
  const all = fleet(100)
  for (const { node } of all.slice(1)) {
    const before = first(node, all)
    const after = first(node, all.slice(1))
    const stayed = before.filter(each => each !== 'n0')
    t.strictSame(after.slice(0, stayed.length), stayed)
  }
  t.end()
})

t.test('probes spread over the fleet', t => {
  const all = fleet(300)
  const load = new Map<string, number>()
  for (const { node } of all) for (const chosen of first(node, all)) load.set(chosen, (load.get(chosen) ?? 0) + 1)
  t.ok(Math.max(...load.values()) <= 15, 'nobody is everybody’s peer')
  t.ok(load.size > 250, 'hardly anybody is nobody’s')
  t.end()
})

t.test(
  'those that are known to work come first; those without an address not at all; none where none are wanted',
  t => {
    const all: Peer[] = fleet(20).map((peer, index) => ({
      ...peer,
      ready: index === 7,
      address: index === 3 ? '' : peer.address,
    }))
    const chosen = first('n0', all, 19)
    t.equal(chosen[0], 'n7')
    t.notOk(chosen.includes('n3'))
    t.strictSame(first('n0', []), [])
    t.strictSame(first('n0', all, 0), [])
    t.end()
  },
)
