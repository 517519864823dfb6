import t from 'tap'
import { classifyDevices } from '../../../../agent/wireguard/classify.ts'
import { DeviceFault, type DeviceReading } from '../../../../agent/wireguard/device.ts'
import type { Incident } from '../../../../agent/wireguard/heal-plan.ts'
import { type Judgement, judgeMesh } from '../../../../agent/wireguard/judge.ts'
import { createMeshMap, type MeshFacts } from '../../../../agent/wireguard/mesh-map.ts'
import { describePeers } from '../../../../agent/wireguard/published.ts'
import { facts, network, peer, reading, surroundings } from './mesh.ts'
import { keyPair } from './samples.ts'

interface World {
  readonly facts?: MeshFacts
  readonly incidents?: ReadonlyMap<string, Incident>
  readonly ownSinceMs?: number
  readonly nowMs?: number
}

function judge(readings: readonly DeviceReading[], world: World = {}): readonly string[] {
  const known = world.facts ?? facts
  const devices = classifyDevices(readings, surroundings({ facts: known }))
  const { incidents = new Map(), ownSinceMs = 0, nowMs = 1_000_000 } = world
  return judgeMesh({ devices, map: createMeshMap(known), incidents, ownSinceMs, nowMs }).map(short)
}

function short({ result, reason, target }: Judgement): string {
  return [result, reason, target].filter(part => part !== undefined).join(' ')
}

const well = [peer(2, '203.0.113.2:51821'), peer(3, '203.0.113.3:51821')] as const
const alone: MeshFacts = { ...facts, networks: [network(1)] }
const hangs: DeviceReading = { name: 'wg1', kind: 'userspace', fault: new DeviceFault('TimedOut', 'no reply') }
const stale = { handshakeMs: 1 }

t.test('all is well', async t => {
  t.strictSame(judge([reading(well)]), ['pass wg0'])
  t.strictSame(judge([reading([...well, peer(9, '10.42.3.3:1', stale)])]), ['pass wg0'], 'a laptop is never looked at')
})

t.test('no device', async t => {
  t.strictSame(judge([], { facts: alone }), ['skip NoDevice devices'])
  const quiet = { ...facts, networks: [network(1), network(2, { devices: [] })] }
  t.strictSame(judge([], { facts: quiet }), ['skip NoDevice devices'], 'others have none either')
  t.strictSame(judge([]), ['fail NoDevice devices'], 'others have')
})

t.test('a device that cannot be read', async t => {
  t.strictSame(judge([hangs]), ['fail DeviceUnreadable wg1'])
  t.strictSame(judge([hangs], { facts: alone }), ['warn DeviceUnreadable wg1'])
  t.strictSame(judge([reading(well), hangs]), ['warn DeviceUnreadable wg1', 'pass wg0'], 'beside one that can')
  const leak = reading([peer(2, '10.42.3.7:1'), well[1]])
  t.strictSame(judge([leak, hangs]), ['warn DeviceUnreadable wg1', 'fail LeakedEndpoint wg0: n2'])
})

t.test('wrong endpoints', async t => {
  const both = [peer(2, '10.42.3.7:1'), peer(3, '10.42.2.7:1')]
  t.strictSame(judge([reading(both)]), ['fail LeakedEndpoint wg0: n2, n3'])
  const around = surroundings({
    routeTo: address => ({ device: address === '203.0.113.2' ? 'wg9' : 'wg0', tunnel: true }),
  })
  const devices = classifyDevices([reading([well[0], peer(3, '10.42.3.0:1')])], around)
  const found = judgeMesh({ devices, map: around.map, incidents: new Map(), ownSinceMs: 0, nowMs: 1 })
  t.strictSame(found.map(short), ['fail LoopingEndpoint wg0: n3', 'fail NestedEndpoint wg0: n2'])
})

t.test('one that was put right fails until it is proved', async t => {
  const incident = { device: 'wg0', publicKey: keyPair(2).publicKey, node: 'n2', trouble: 'leaked' } as Incident
  const incidents = new Map([[`wg0 ${keyPair(2).publicKey}`, incident]])
  t.strictSame(judge([reading(well)], { incidents }), ['fail LeakedEndpoint wg0: n2'])
})

t.test('missing allowed-ips', async t => {
  const lacking = reading([peer(2, '203.0.113.2:1', { allowed: '10.101.0.2/32' }), well[1]])
  t.strictSame(judge([lacking]), ['fail MissingAllowedIP wg0: n2'])
  const fresh = { ...facts, networks: [network(1), { ...network(2), createdMs: 950_000 }, network(3)] }
  const now = { facts: fresh, ownSinceMs: 900_000, nowMs: 1_000_000 }
  t.strictSame(judge([lacking], now), ['warn MissingAllowedIP wg0: n2'], 'of a node that has just come')
  t.strictSame(
    judge([lacking], { ...now, ownSinceMs: 960_000 }),
    ['fail MissingAllowedIP wg0: n2'],
    'this one came later',
  )
  t.strictSame(judge([lacking], { ...now, nowMs: 1_010_000 }), ['fail MissingAllowedIP wg0: n2'], 'for a minute')
})

t.test('nodes that are no peers', async t => {
  t.strictSame(judge([reading([well[0]])]), ['pass wg0', 'warn MissingAllowedIP n3'])
  t.strictSame(judge([reading([])]), ['pass wg0', 'fail MissingAllowedIP n2, n3'], 'all of them')
  const two = { ...facts, networks: [network(1), network(2)] }
  t.strictSame(
    judge([reading([])], { facts: two }),
    ['pass wg0', 'warn MissingAllowedIP n2'],
    'one alone is no majority',
  )
})

t.test('silence', async t => {
  const silent = [peer(2, '203.0.113.2:1', stale), peer(3, '203.0.113.3:1', stale)] as const
  t.strictSame(judge([reading([silent[0], well[1]])]), ['warn NoHandshake wg0: n2'], 'that one is cut off')
  t.strictSame(judge([reading(silent)]), ['fail NoHandshake wg0: n2, n3'], 'this one is')
  const two = { ...facts, networks: [network(1), network(2)] }
  t.strictSame(judge([reading([silent[0]])], { facts: two }), ['warn NoHandshake wg0: n2'], 'who knows which')
})

t.test('many are named in short', async t => {
  const numbers = Array.from({ length: 9 }, (_, index) => index + 2)
  const crowd = { ...facts, networks: numbers.map(number => network(number)) }
  const leaks = numbers.map(number => peer(number, '10.42.3.7:1'))
  t.strictSame(judge([reading(leaks)], { facts: crowd }), ['fail LeakedEndpoint wg0: n2, n3, n4, n5, n6 and 4 more'])
})

t.test('a key that two claim: its peer is here, whosever it is', async t => {
  const keys = [2, 3].map(number => ({ name: 'wg0', publicKey: keyPair(number).publicKey, listenPort: 51821 }))
  const claims = { ...facts, networks: [...facts.networks, network(4, { devices: keys, podCIDRs: [] })] }
  t.strictSame(judge([reading(well)], { facts: claims }), ['pass wg0'], 'one node takes no other out of the mesh')
  const devices = classifyDevices([reading(well)], surroundings({ facts: claims }))
  const state = { devices, readings: [], map: createMeshMap(claims), incidents: new Map(), held: [] }
  t.strictSame(describePeers(state).missingAllowedIPs, [], 'nor tells others that it is not routed')
})
