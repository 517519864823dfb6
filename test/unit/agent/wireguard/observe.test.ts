import t from 'tap'
import type { Route } from '../../../../agent/wireguard/classify.ts'
import type { Peer } from '../../../../agent/wireguard/device.ts'
import { createMeshMap } from '../../../../agent/wireguard/mesh-map.ts'
import { createObserver } from '../../../../agent/wireguard/observe.ts'
import { createRouteBook, emptyRouteBook } from '../../../../agent/wireguard/route-book.ts'
import { facts, peer, reading } from './mesh.ts'

function bed({ waits = true, routes = emptyRouteBook } = {}) {
  const world = { nowMs: 0, wallMs: 1_000_000, peers: [] as readonly Peer[] }
  const observer = createObserver({
    reader: { move: async () => undefined, look: async () => ({ devices: [reading(world.peers)], unlisted: [] }) },
    routes,
    clock: { now: () => world.wallMs + world.nowMs, monotonic: () => world.nowMs },
    waits,
  })
  const map = createMeshMap(facts)
  const view = async (peers: readonly Peer[], afterMs = 1000) => {
    world.peers = peers
    world.nowMs += afterMs
    const { devices } = await observer.observe(map)
    return devices[0]?.peers ?? []
  }
  const look = async (...of: Parameters<typeof view>) => (await view(...of)).map(peer => peer.class)
  return { world, view, look }
}

const leak = '10.42.2.0:51821'

t.test('a loop is known by what is sent and what comes back', async t => {
  const { look } = bed({ routes: { refresh: async () => undefined, find: () => ({ device: 'eth0', tunnel: false }) } })
  const sent = (txBytes: number, rxBytes = 700) => [peer(2, leak, { txBytes, rxBytes })]
  t.strictSame(await look(sent(648)), ['leaked'], 'one look does not show it')
  t.strictSame(await look(sent(50_000_000)), ['loop'])
  t.strictSame(await look(sent(50_000_100)), ['leaked'], 'it is quiet again')
  t.strictSame(await look(sent(100_000_000, 900)), ['leaked'], 'something comes back')
  t.strictSame(await look(sent(100_500_000, 900)), ['leaked'], 'not that much is sent')
  t.strictSame(await look(sent(100_500_000, 900)), ['leaked'])
})

t.test('much that is sent to a right endpoint is no loop', async t => {
  const { look } = bed()
  const sent = (txBytes: number) => [peer(2, '203.0.113.2:51821', { txBytes })]
  await look(sent(0))
  t.strictSame(await look(sent(90_000_000)), ['expected'])
})

t.test('a peer that never shook hands gets three minutes', async t => {
  const { look } = bed()
  const quiet = [peer(2, '203.0.113.2:51821', { handshakeMs: undefined })]
  t.strictSame(await look(quiet), ['expected'])
  t.strictSame(await look(quiet, 179_000), ['expected'])
  t.strictSame(await look(quiet, 1_000), ['stale'])
  await look([])
  t.strictSame(await look(quiet), ['expected'], 'one that comes again is new')
})

t.test('a clock that is set makes no peer silent, and no handshake new', async t => {
  const hourMs = 3_600_000
  for (const stepMs of [hourMs, -hourMs]) {
    const { world, view } = bed()
    const seen = async (handshakeMs: number, afterMs?: number) => {
      const [only] = await view([peer(2, '203.0.113.2:51821', { handshakeMs })], afterMs)
      return [only?.class, only?.handshakeAge]
    }
    t.strictSame(await seen(1_000_500), ['expected', 0.5])
    world.wallMs += stepMs
    t.strictSame(await seen(1_000_500), ['expected', 1.5], `${stepMs} ms`)
    t.strictSame(await seen(1_002_700 + stepMs), ['expected', 0.3], 'the next one is of the new time')
    t.strictSame(await seen(1_002_700 + stepMs, 180_000), ['stale', 180.3])
  }
  const { view } = bed()
  t.match(await view([peer(2, undefined, { handshakeMs: 2_000_000 })]), [{ handshakeAge: 0 }], 'one to come')
})

t.test('a single look gives it none', async t => {
  const { look } = bed({ waits: false })
  t.strictSame(await look([peer(2, '203.0.113.2:51821', { handshakeMs: undefined })]), ['stale'])
})

t.test('the way to endpoints', async t => {
  const asked: string[] = []
  const ways = new Map<string, Route>([['203.0.113.2', { device: 'wg1', tunnel: true }]])
  const routes = createRouteBook({
    async find(address, fwmark) {
      asked.push(`${address} ${fwmark}`)
      if (address === '203.0.113.3') throw new Error('no answer')
      return ways.get(address)
    },
    close: () => undefined,
  })
  const { look } = bed({ routes })
  const peers = [peer(2, '203.0.113.2:51821'), peer(3, '203.0.113.3:51821'), peer(9, '198.51.100.9:51821')]
  t.strictSame(await look(peers), ['nested', 'expected', 'unknown'])
  t.strictSame(asked, ['203.0.113.2 0', '203.0.113.3 0'], 'nobody asks for the way to a stranger')
  ways.set('203.0.113.2', { device: 'eth0', tunnel: false })
  t.strictSame(await look(peers), ['expected', 'expected', 'unknown'], 'it is asked for again')
})

t.test('a LAN behind a peer that is on it: what the kernel has not said makes no loop of it', async t => {
  const way = { says: undefined as Route | undefined }
  const routes = createRouteBook({
    async find() {
      if (way.says === undefined) throw new Error('no answer in time')
      return way.says
    },
    close: () => undefined,
  })
  const { look } = bed({ routes })
  const peers = [peer(2, '192.168.1.5:51821', { allowed: '192.168.1.0/24,10.42.2.0/24' })]
  t.strictSame(await look(peers), ['lan'], 'not asked in vain')
  way.says = { device: 'wg0', tunnel: true }
  t.strictSame(await look(peers), ['loop'])
  way.says = undefined
  t.strictSame(await look(peers), ['loop'], 'its last word counts')
  way.says = { device: 'eth0', tunnel: false }
  t.strictSame(await look(peers), ['lan'])
  way.says = undefined
  t.strictSame(await look(peers), ['lan'])
  t.strictSame(await bed().look(peers), ['loop'], 'where nobody can ask the kernel')
})

t.test('of many endpoints a part is asked for at a look, the oldest answers first', async t => {
  const asked: string[] = []
  const book = createRouteBook({
    async find(address) {
      asked.push(address)
      return { device: 'eth0', tunnel: false }
    },
    close: () => undefined,
  })
  const wanted = Array.from({ length: 150 }, (_, index) => ({ address: `203.0.113.${index}`, fwmark: 0 }))
  const counts: number[] = []
  for (let look = 0; look < 5; look++) {
    const before = asked.length
    await book.refresh(wanted)
    counts.push(asked.length - before)
  }
  t.strictSame(counts, [64, 64, 64, 64, 64])
  t.equal(new Set(asked.slice(0, 150)).size, 150, 'all are asked for before one is asked for again')
  t.equal(new Set(asked.slice(150, 300)).size, 150, 'and again in turn')
  await book.refresh([])
  t.match(book.find('203.0.113.1', 0), { device: '' }, 'what nobody wants is forgotten')
})
