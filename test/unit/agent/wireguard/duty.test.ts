import t, { type Test } from 'tap'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { DeviceFault } from '../../../../agent/wireguard/device.ts'
import { createMeshDuty } from '../../../../agent/wireguard/duty.ts'
import { createMeshMap } from '../../../../agent/wireguard/mesh-map.ts'
import { createWireguardMetrics } from '../../../../agent/wireguard/metrics.ts'
import type { ResetOutcome } from '../../../../agent/wireguard/netclient.ts'
import type { MeshState } from '../../../../agent/wireguard/state.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { facts, network, peer, surroundings } from './mesh.ts'
import { toldObserver } from './told-observer.ts'

const right = '203.0.113.2:51821'
const wrong = '10.42.2.0:51821'
const stranger = { ...peer(9, right), publicKey: 'of nobody' }

/** One node's guard on a told clock, over a device that is told; `stubborn` puts the wrong endpoint back. */
function bed(t: Test, mode: 'off' | 'observe' | 'heal' = 'heal') {
  const clock = createFakeClock(1_000_000)
  const { map } = surroundings()
  const unplaced = createMeshMap({ ...facts, networks: [network(1), network(2, { endpoint: undefined })] })
  const world = {
    endpoint: right,
    placed: true,
    strangers: 0,
    handshakeMs: 999_000,
    refuses: false,
    apiAnswers: true,
    reset: 'done' as ResetOutcome | undefined,
    lookMs: 0,
    looks: [] as number[],
    moves: [] as string[],
    resets: [] as number[],
    events: [] as string[],
    notes: [] as string[],
    states: [] as MeshState[],
  }
  const told = toldObserver({
    nowMs: clock.now,
    peers: () => [
      peer(2, world.endpoint, { handshakeMs: world.handshakeMs }),
      ...Array.from({ length: world.strangers }, () => stranger),
    ],
    onMove(endpoint) {
      if (world.refuses) throw new DeviceFault('BadReply', 'it does not obey')
      world.moves.push(`wg0 ${endpoint}`)
      world.endpoint = endpoint
    },
  })
  const metrics = createMetrics()
  const log = createRecordingLogger()
  const duty = createMeshDuty({
    observer: {
      ...told,
      async observe(of) {
        world.looks.push(clock.now())
        if (world.lookMs > 0) await new Promise<void>(resolve => clock.after(world.lookMs, resolve))
        return told.observe(of)
      },
    },
    map: () => (world.placed ? map : unplaced),
    mode,
    prover: { follow: () => undefined, proved: () => new Set(), stop: () => undefined },
    async reset() {
      world.resets.push(clock.now())
      if (world.reset === undefined) throw new Error('no API')
      return world.reset
    },
    async tell({ reason, note }, signal) {
      if (!world.apiAnswers) await new Promise((_, reject) => signal.addEventListener('abort', reject))
      world.events.push(reason)
      world.notes.push(note)
    },
    onState: state => world.states.push(state),
    metrics: createWireguardMetrics(metrics),
    clock,
    log,
    random: () => 0.99,
  })
  const loop = startLoop(duty, { clock, log, random: () => 0.5 })
  // A look that is under way ends with its time.
  t.teardown(() => Promise.all([loop.stop(), clock.advance(1_000)]))
  const count = async (action: string, outcome: string) => {
    const text = await metrics.render()
    return Number(new RegExp(`heals_total{action="${action}",outcome="${outcome}"} (\\d+)`).exec(text)?.[1] ?? 0)
  }
  return { clock, world, count, log }
}

t.test('seen within a second, put right within three, whatever the jitter', async t => {
  const { clock, world } = bed(t)
  await settle()
  await clock.advance(300)
  world.endpoint = wrong
  const leakMs = clock.now()
  while (world.states.at(-1)?.incidents.size !== 1) await clock.advance(10)
  t.ok(clock.now() - leakMs <= 1_000)
  while (world.moves.length === 0) await clock.advance(10)
  t.ok(clock.now() - leakMs <= 2_000, `after ${clock.now() - leakMs} ms`)
  t.strictSame(world.moves, [`wg0 ${right}`])
  t.strictSame(world.events, ['EndpointLeaked'])
  world.handshakeMs = clock.now() + 500
  await clock.advance(30_000)
  t.strictSame(world.events, ['EndpointLeaked', 'EndpointHealed'])
  t.equal(world.states.at(-1)?.incidents.size, 0)
})

t.test('looks that take long on a busy machine come no later', async t => {
  const { clock, world } = bed(t)
  world.lookMs = 300
  await settle()
  await clock.advance(10_000)
  const gaps = world.looks.slice(1).map((atMs, index) => atMs - (world.looks[index] ?? 0))
  t.ok(gaps.length > 5)
  t.ok(
    gaps.every(gap => gap === 900),
    String(gaps),
  )
})

t.test('hundreds of peers are looked at less often while all is well', async t => {
  const { clock, world } = bed(t)
  world.strangers = 674
  await settle()
  await clock.advance(900)
  world.looks.length = 0
  await clock.advance(27_000)
  t.equal(world.looks.length, 10, String(world.looks))
  world.endpoint = wrong
  await clock.advance(2_700)
  world.looks.length = 0
  await clock.advance(9_000)
  t.ok(world.looks.length >= 10, 'and every 0.9 s where it is not')
})

t.test('an API that does not answer keeps no look waiting', async t => {
  const { clock, world } = bed(t)
  world.apiAnswers = false
  await settle()
  world.endpoint = wrong
  await clock.advance(3_000)
  t.strictSame(world.moves, [`wg0 ${right}`])
  t.strictSame(world.events, [])
})

t.test('observe: it is told, and nothing is moved', async t => {
  const { clock, world, count } = bed(t, 'observe')
  await settle()
  world.endpoint = wrong
  await clock.advance(60_000)
  t.strictSame(world.events, ['EndpointLeaked'])
  t.strictSame(world.moves, [])
  t.strictSame(world.resets, [])
  t.match(world.states.at(-1)?.held, [{ reason: 'Observed' }])
  t.equal(await count('set', 'done'), 0)
})

t.test('put back again and again: three tries and one reset in ten minutes', async t => {
  const { clock, world, count, log } = bed(t)
  await settle()
  for (let second = 0; second < 590; second += 2) {
    world.endpoint = wrong
    await clock.advance(2_000)
    if (second > 0) t.equal(world.states.at(-1)?.incidents.size, 1, 'all the while it is not well')
  }
  t.equal(world.moves.length, 3)
  t.equal(world.resets.length, 1)
  t.equal(await count('reset', 'done'), 1)
  t.strictSame(world.events, ['EndpointLeaked', 'HealHeld', 'HealHeld'], 'each cap that is reached is told, once')
  t.match(world.notes.at(-1), /^the WireGuard endpoint of n2 on wg0 is left wrong: .*\(PeerBudget\)$/)
  t.match(world.notes.at(-2), /\(ResetTooSoon\)$/)
  t.equal(log.lines.filter(([level, text]) => level === 'warn' && text.includes('is left wrong')).length, 2)
  t.equal(await count('set', 'held'), 1)
  t.equal(await count('reset', 'held'), 1)
})

t.test('a peer nobody knows a place for: told once, and again only after it was right', async t => {
  const { clock, world, count } = bed(t)
  world.placed = false
  await settle()
  world.endpoint = wrong
  await clock.advance(60_000)
  t.strictSame(world.events, ['EndpointLeaked', 'HealHeld'])
  t.match(world.notes.at(-1), /\(NoTarget\)$/)
  world.endpoint = right
  world.handshakeMs = clock.now() + 1_000
  await clock.advance(30_000)
  world.endpoint = wrong
  await clock.advance(60_000)
  t.strictSame(world.events.slice(2), ['EndpointHealed', 'EndpointLeaked', 'HealHeld'])
  t.equal(await count('set', 'held'), 2)
})

t.test("another node's turn: asked again after some seconds, and not counted", async t => {
  const { clock, world, count } = bed(t)
  world.reset = 'busy'
  await settle()
  for (let second = 0; second < 60; second += 2) {
    world.endpoint = wrong
    await clock.advance(2_000)
  }
  t.ok(world.resets.length >= 4 && world.resets.length <= 15, `${world.resets.length} times in a minute`)
  t.equal(await count('reset', 'busy'), 0)
  world.reset = 'done'
  await clock.advance(20_000)
  t.equal(await count('reset', 'done'), 1)
})

t.test('an API that does not say whose turn it is: nobody was reset, and none is counted', async t => {
  const { clock, world, count, log } = bed(t)
  world.reset = undefined
  await settle()
  for (let second = 0; second < 60; second += 2) {
    world.endpoint = wrong
    await clock.advance(2_000)
  }
  t.ok(world.resets.length >= 4, `${world.resets.length} times in a minute`)
  t.equal(log.lines.filter(([, text]) => text.includes('whose turn')).length, 1, 'said once')
  t.notOk(world.notes.some(note => note.includes('ResetTooSoon')))
  world.reset = 'done'
  await clock.advance(20_000)
  t.equal(await count('reset', 'done'), 1)
})

t.test('a device that does not obey is told a few times, and nobody is reset for it', async t => {
  const { clock, world, count, log } = bed(t)
  await settle()
  world.endpoint = wrong
  world.refuses = true
  await clock.advance(60_000)
  t.equal(await count('set', 'failed'), 3)
  t.strictSame(world.resets, [])
  t.equal(log.lines.filter(([level, text]) => level === 'warn' && text === 'endpoint could not be put right').length, 3)
})
