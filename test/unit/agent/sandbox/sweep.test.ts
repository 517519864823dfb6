import { stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { sandboxPaths } from '../../../../agent/sandbox/paths.ts'
import { attach, attachmentOf } from '../../../../agent/sandbox/plugins.ts'
import { readRecords, writeRecord } from '../../../../agent/sandbox/record.ts'
import { leaveNothing, sweepSandboxes } from '../../../../agent/sandbox/sweep.ts'
import { acquireLock } from '../../../../cni/host/lock.ts'
import type { ConfList } from '../../../../cni/spec/conf.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import type { Json } from '../../../../cni/spec/json.ts'
import type { PluginCall, PluginRunner } from '../../../../cni/spec/plugin.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const list: ConfList = {
  name: 'net',
  cniVersion: '1.0.0',
  disableCheck: false,
  disableGC: false,
  plugins: [{ type: 'bridge' }, { type: 'portmap' }],
}

function recordingRunner(answer: (call: PluginCall) => Json | undefined = () => undefined) {
  const calls: string[] = []
  const runner: PluginRunner = {
    find: async type => `/opt/cni/bin/${type}`,
    async run(call) {
      calls.push(`${call.command} ${call.type} ${call.variables.CNI_CONTAINERID} ${call.variables.CNI_NETNS || '-'}`)
      return answer(call)
    },
  }
  return { runner, calls }
}

async function start(t: Test, ids: readonly string[]) {
  const paths = sandboxPaths({ hostRoot: t.testdir(), cniBinDir: '/opt/cni/bin', cniConfDir: '/etc/cni/net.d' })
  for (const containerId of ids) await writeRecord(paths.recordFolder, { containerId, list })
  return { paths, left: async () => (await readRecords(paths.recordFolder)).map(each => each.record?.containerId) }
}

t.test('what a killed run left is detached, last plugin first, and forgotten', async t => {
  const { paths, left } = await start(t, ['one', 'two'])
  const { runner, calls } = recordingRunner()
  const log = createRecordingLogger()
  await sweepSandboxes({ paths, log, runner })
  t.strictSame(calls, ['DEL portmap one -', 'DEL bridge one -', 'DEL portmap two -', 'DEL bridge two -'])
  t.strictSame(await left(), [])
  await sweepSandboxes({ paths, log, runner })
  t.equal(calls.length, 4, 'once')
})

t.test('a sandbox that somebody uses is left alone', async t => {
  const { paths, left } = await start(t, ['used', 'dead'])
  const lock = await acquireLock(paths.lockFolder, 'used', { timeoutMs: 1000 })
  t.teardown(() => lock.release())
  const { runner, calls } = recordingRunner()
  await sweepSandboxes({ paths, log: createRecordingLogger(), runner })
  t.ok(calls.every(call => call.includes('dead')))
  t.strictSame(await left(), ['used'])
})

t.test('a network that refuses DEL keeps its record, for the next start', async t => {
  const { paths, left } = await start(t, ['one', 'two'])
  const { runner } = recordingRunner(({ variables }) => {
    if (variables.CNI_CONTAINERID === 'one') throw new CniError(11, 'try again later')
    return undefined
  })
  await sweepSandboxes({ paths, log: createRecordingLogger(), runner })
  t.strictSame(await left(), ['one'])
})

t.test('a file that is no record goes; no folder is no fault', async t => {
  const { paths, left } = await start(t, ['one'])
  await writeFile(join(paths.recordFolder, 'junk.json'), '{')
  const { runner } = recordingRunner()
  const log = createRecordingLogger()
  await sweepSandboxes({ paths, log, runner })
  t.strictSame(await left(), [])
  await t.resolves(
    sweepSandboxes({ paths: { ...paths, recordFolder: join(paths.recordFolder, 'missing') }, log, runner }),
  )
})

t.test('a node that is left keeps no folder of ours, unless somebody is at work', async t => {
  const { paths } = await start(t, ['one'])
  const { runner } = recordingRunner()
  const log = createRecordingLogger()
  await leaveNothing({ paths, log, runner })
  await t.rejects(stat(dirname(paths.recordFolder)), { code: 'ENOENT' })
  await writeRecord(paths.recordFolder, { containerId: 'used', list })
  const lock = await acquireLock(paths.lockFolder, 'used', { timeoutMs: 1000 })
  t.teardown(() => lock.release())
  await leaveNothing({ paths, log, runner })
  t.equal((await readRecords(paths.recordFolder)).length, 1)
})

t.test('a network that hangs is left for another time: one record is tried, not all', async t => {
  const { paths, left } = await start(t, ['one', 'two', 'three'])
  const log = createRecordingLogger()
  const limitMs = 30
  const { runner, calls } = recordingRunner(() => {
    const endMs = performance.now() + limitMs
    while (performance.now() < endMs) {}
    throw new CniError(102, 'plugin bridge, DEL: did not end within 0.03 s')
  })
  await sweepSandboxes({ paths, log, runner, limitMs })
  t.equal(new Set(calls.map(call => call.split(' ')[2])).size, 1, calls.join('; '))
  t.equal((await left()).length, 3)
  t.match(log.lines, [['warn', /could not be taken down/, { sandboxes: 1 }]])
})

interface RefusalCase {
  readonly name: string
  readonly code: number
}

const refusals: readonly RefusalCase[] = [
  { name: 'a plugin that wants a pod', code: 999 },
  { name: 'a code of its own', code: 100 },
  { name: 'bad CNI_ARGS', code: 4 },
  { name: 'no words of its own', code: 102 },
  { name: 'try again later', code: 11 },
  { name: 'not available', code: 50 },
  { name: 'limited connectivity', code: 51 },
  { name: 'a plugin that is not installed', code: 101 },
]

for (const { name, code } of refusals) {
  t.test(`attach: ${name}`, async t => {
    const { runner, calls } = recordingRunner(({ type }) => {
      if (type === 'portmap') throw new CniError(code, 'no', { details: 'because' })
      return { cniVersion: '1.0.0' }
    })
    await t.rejects(attach({ runner, limitMs: 60_000 }, list, attachmentOf('id', '/proc/7/ns/net')), {
      code: 'SandboxRefused',
      message: 'network net: no: because',
    })
    t.strictSame(calls, [
      'ADD loopback id /proc/7/ns/net',
      'ADD bridge id /proc/7/ns/net',
      'ADD portmap id /proc/7/ns/net',
    ])
  })
}

t.test('attach: a plugin that was cut at the limit has timed out, whatever else is said of it', async t => {
  const limitMs = 30
  const { runner } = recordingRunner(({ type }) => {
    if (type === 'loopback') return { cniVersion: '1.0.0' }
    const endMs = performance.now() + limitMs
    while (performance.now() < endMs) {}
    throw new CniError(102, 'plugin bridge, ADD: did not end within 0.03 s')
  })
  await t.rejects(attach({ runner, limitMs }, list, attachmentOf('nopal-probe-1', '/proc/7/ns/net')), {
    code: 'SandboxTimedOut',
    message: 'network net: plugin bridge, ADD: did not end within 0.03 s',
  })
})

t.test('attach: no loopback plugin is no fault, and nothing is said of a pod', async t => {
  const { runner } = recordingRunner(call => {
    if (call.type === 'loopback') throw new CniError(101, 'not installed')
    t.equal(call.variables.CNI_ARGS, 'IgnoreUnknown=1')
    t.equal(call.variables.CNI_IFNAME, 'eth0')
    return { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }] }
  })
  t.match(await attach({ runner, limitMs: 60_000 }, list, attachmentOf('id', '/n')), {
    ips: [{ address: '10.1.0.2/24' }],
  })
})

t.test("paths lie below the host's root; plugins are told the host's own", t => {
  const settings = { cniBinDir: '/opt/cni/bin', cniConfDir: '/etc/cni/net.d' }
  t.match(sandboxPaths({ ...settings, hostRoot: '/host' }), {
    binFolder: '/host/opt/cni/bin',
    binDirOnHost: '/opt/cni/bin',
    confFolder: '/host/etc/cni/net.d',
    recordFolder: '/host/var/lib/cni/nopal/sandboxes',
  })
  t.match(sandboxPaths({ ...settings, hostRoot: '' }), {
    binFolder: '/opt/cni/bin',
    recordFolder: '/var/lib/cni/nopal/sandboxes',
  })
  t.end()
})
