import { renameSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { DeviceReading } from '../../../../agent/wireguard/device.ts'
import { createMeshMap } from '../../../../agent/wireguard/mesh-map.ts'
import { filterFacts } from '../../../../agent/wireguard/packet-filter.ts'
import { describeSpec } from '../../../../agent/wireguard/published.ts'
import { createDeviceReader } from '../../../../agent/wireguard/read.ts'
import { kernelDevices, userspaceDevices } from '../../../../agent/wireguard/sources.ts'
import type { RunWg } from '../../../../agent/wireguard/wg-program.ts'
import { until } from '../../../machine/wait.ts'
import { facts } from './mesh.ts'
import { dump, keyPair, uapiReply } from './samples.ts'
import { SocketFolder } from './uapi-server.ts'

/** Longer than the agent waits: one that answers does so in time on a busy machine, too. */
const lateMs = 3_000

const noWg: RunWg = async () => Buffer.from('\n')

interface World {
  readonly interfaces?: readonly string[]
  readonly present?: readonly string[]
  readonly wg?: RunWg
}

function bed(t: Test, { interfaces = [], present = [], wg = noWg }: World = {}) {
  const folder = new SocketFolder(t)
  const clock = { nowMs: 0, monotonic: () => clock.nowMs }
  const reader = createDeviceReader({
    sources: [userspaceDevices(folder.root, lateMs), kernelDevices(wg)],
    readInterfaces: async () => new Set(present),
    interfaces,
    clock,
  })
  return { folder, reader, clock }
}

/** A reading in short: `wg0 userspace 2`, or the fault's code. */
function short(reading: DeviceReading): string {
  const found = 'device' in reading ? reading.device.peers.length : reading.fault.code
  return `${reading.name} ${reading.kind} ${found}`
}

t.test('a device whose reply comes in pieces', async t => {
  const { folder, reader } = bed(t, { present: ['wg0'] })
  const reply = uapiReply(40)
  await folder.serve('wg0', [reply.slice(0, 10), reply.slice(10, -1), reply.slice(-1)])
  const { devices, unlisted } = await reader.look()
  t.strictSame(devices.map(short), ['wg0 userspace 40'])
  t.strictSame(unlisted, [])
})

t.test('what hangs, talks junk, stops half-way or is not there spoils nothing', async t => {
  const present = ['good', 'hangs', 'junk', 'half', 'refuses', 'drips']
  const { folder, reader } = bed(t, { present })
  await folder.serve('good', [uapiReply(3)])
  await folder.serve('hangs', undefined)
  await folder.serve('junk', ['\xff\0junk\n\nerrno=0\n\n'])
  await folder.serve('half', [uapiReply(3).slice(0, 400)])
  await folder.serve('no-interface', [uapiReply(3)])
  await folder.serveNobody('refuses')
  const { devices } = await reader.look()
  t.strictSame(devices.map(short), [
    'good userspace 3',
    'half userspace BadReply',
    'hangs userspace TimedOut',
    'junk userspace BadReply',
    'refuses userspace Refused',
  ])
})

t.test('one that cannot be read any more is still what it was', async t => {
  const { folder, reader } = bed(t, { present: ['wg0'] })
  await folder.serve('wg0', [uapiReply(1)])
  await reader.look()
  const state = async () => {
    const { devices: readings } = await reader.look()
    return { devices: [], readings, map: createMeshMap(facts), incidents: new Map(), held: [] }
  }
  await folder.serveNobody('wg0')
  const nothing = { setting: undefined, expectExternal: true, addresses: [], netclient: undefined, inside: [] }
  const said = { ...nothing, podCIDRs: [], podAddresses: [] }
  for (let look = 0; look < 2; look++) {
    const now = await state()
    t.strictSame(now.readings.map(short), ['wg0 userspace Refused'])
    const own = { name: 'wg0', publicKey: keyPair(0).publicKey, listenPort: 51821 }
    t.strictSame(describeSpec(now, said).devices, [own], 'the others know it')
    t.strictSame(filterFacts(now, 'n1').devices, [{ name: 'wg0', listenPort: 51821 }], 'nothing gets past the filter')
  }
})

t.test('one that hangs is asked again aside, and nobody waits for it', async t => {
  const { folder, reader, clock } = bed(t, { present: ['wg0', 'wg1'] })
  await folder.serve('wg1', [uapiReply(1)])
  const asked = await folder.serve('wg0', undefined)
  const look = async () => (await reader.look()).devices.map(short)
  t.strictSame(await look(), ['wg0 userspace TimedOut', 'wg1 userspace 1'])
  for (let round = 0; round < 20; round++)
    t.strictSame(await look(), ['wg0 userspace TimedOut', 'wg1 userspace 1'], 'from memory')
  await until('it is asked once more', () => asked.length === 2)
  await until('that ends', () => folder.connections('wg0') === 0)
  for (let round = 0; round < 20; round++) await look()
  t.equal(asked.length, 2, 'then it is left alone for a while')
  await folder.serve('other', [uapiReply(1)])
  renameSync(folder.path('other'), folder.path('wg0'))
  clock.nowMs = 5_000
  await until('it is read again', async () => (await look())[0] === 'wg0 userspace 1')
})

t.test('one that was late once is read at the look after the next', async t => {
  const { folder, reader } = bed(t, { present: ['wg0'] })
  await folder.serve('wg0', undefined)
  await reader.look()
  await folder.serve('other', [uapiReply(1)])
  renameSync(folder.path('other'), folder.path('wg0'))
  await until('it is read again', async () => short((await reader.look()).devices[0] as DeviceReading).endsWith(' 1'))
})

t.test('an answer without end', async t => {
  const { folder, reader } = bed(t, { present: ['wg0'] })
  const much = 'x'.repeat(2 ** 20)
  await folder.serve(
    'wg0',
    Array.from({ length: 70 }, () => much),
  )
  const [reading] = (await reader.look()).devices
  t.match(reading, { fault: { code: /^(TooLarge|TimedOut)$/ } })
})

t.test('names of any bytes', async t => {
  const present = ['a\x1b[31m', 'b\xff', 'é'].map(name =>
    Buffer.from(name, name === 'é' ? 'utf8' : 'latin1').toString('latin1'),
  )
  const { folder, reader } = bed(t, { present })
  await folder.serve('a\x1b[31m', [uapiReply(1)])
  await folder.serve('é', [uapiReply(1)])
  await folder.serve('plain', [uapiReply(1)])
  const strange = Buffer.from(`${folder.root}/run/wireguard/b\xff.sock`, 'latin1')
  renameSync(folder.path('plain'), strange)
  t.strictSame((await reader.look()).devices.map(short), [
    'a\\x1b[31m userspace 1',
    'b\\xff userspace 1',
    'é userspace 1',
  ])
})

t.test('only the interfaces that are wanted', async t => {
  const { folder, reader } = bed(t, { present: ['wg0', 'wg1'], interfaces: ['wg1'] })
  await folder.serve('wg0', undefined)
  await folder.serve('wg1', [uapiReply(1)])
  t.strictSame((await reader.look()).devices.map(short), ['wg1 userspace 1'])
})

t.test('devices of the kernel', async t => {
  const asked: string[] = []
  const wg: RunWg = async args => {
    asked.push(args.join(' '))
    return Buffer.from(args[1] === 'interfaces' ? 'wg0 user\n' : dump)
  }
  const { folder, reader } = bed(t, { present: ['wg0', 'user', 'eth0'], wg })
  await folder.serve('user', [uapiReply(1)])
  t.strictSame((await reader.look()).devices.map(short), ['user userspace 1', 'wg0 kernel 2'])
  await reader.look()
  t.strictSame(asked, ['show interfaces', 'show wg0 dump', 'show wg0 dump'], 'listed once while the interfaces stay')
})

t.test('a kernel device that is gone when it is read', async t => {
  const asked: string[] = []
  const wg: RunWg = async args => {
    asked.push(args.join(' '))
    if (args[1] === 'interfaces') return Buffer.from(asked.length === 1 ? 'wg0 wg1\n' : 'wg1\n')
    if (args[1] === 'wg0') throw new Error('No such device')
    return Buffer.from(dump)
  }
  const { reader } = bed(t, { wg })
  t.strictSame((await reader.look()).devices.map(short), ['wg0 kernel Unreachable', 'wg1 kernel 2'])
  t.strictSame((await reader.look()).devices.map(short), ['wg1 kernel 2'])
})

t.test('without wg the devices of programs are read all the same', async t => {
  const wg: RunWg = async () => {
    throw new Error('no wg')
  }
  const { folder, reader } = bed(t, { present: ['wg0'], wg })
  await folder.serve('wg0', [uapiReply(1)])
  const { devices, unlisted } = await reader.look()
  t.strictSame(devices.map(short), ['wg0 userspace 1'])
  t.match(unlisted, [{ code: 'Unreachable' }])
})
