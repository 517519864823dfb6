import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { addressesOf } from '../../../../agent/sandbox/attachment.ts'
import { withSandbox } from '../../../../agent/sandbox/sandbox.ts'
import { type ProbeRequest, parseProbeResults } from '../../../../agent/verify/remote.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import { type BedOptions, makeBed } from './sandbox-bed.ts'

const { signal } = new AbortController()

const request: ProbeRequest = {
  node: 'n1',
  // No row waits for these.
  overallMs: 600_000,
  settings: { dnsDomains: ['192.0.2.1'], checkTimeoutMs: 600_000, tcp: [], ipFamilies: 'any', podPath: true },
  apiService: { host: '127.0.0.1', port: 1 },
  api: undefined,
  reads: [],
  clusterDns: { domain: undefined, servers: ['127.0.0.1'] },
  peers: [],
  peerPort: 1,
  addresses: {},
  host: undefined,
}

const whole = ['ADD bridge /proc/PID/ns/net, 1 on record', 'DEL bridge /proc/PID/ns/net, 1 on record']

t.test('a sandbox is on record before ADD, checks from inside, and is gone afterwards', async t => {
  const bed = await makeBed(t)
  const results = await withSandbox(bed.options, signal, async sandbox => {
    t.equal(sandbox.network, 'net')
    t.match(sandbox.result, { ips: [{ address: '10.1.0.2/24' }] })
    return parseProbeResults(await sandbox.ask(JSON.stringify(request), signal))
  })
  t.ok(results.every(({ from }) => from === 'sandbox'))
  t.strictSame(
    results.map(({ code, result, reason }) => [code, result, reason].filter(Boolean).join(' ')),
    [
      'dns skip NotAName',
      'api skip NoCluster',
      'tcp fail Refused',
      'services skip NoCluster',
      'peers skip NoPeers',
      'mtu skip NoPeers',
      'pods skip NoPeers',
    ],
  )
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
})

t.test('names are dialled as the host resolves them', async t => {
  const bed = await makeBed(t)
  const tcp = ['known.test', 'unknown.test'].map(host => ({ host, port: 1 }))
  const asked = { ...request, settings: { ...request.settings, tcp }, addresses: { 'known.test': ['127.0.0.1'] } }
  const results = await withSandbox(bed.options, signal, async sandbox =>
    parseProbeResults(await sandbox.ask(JSON.stringify(asked), signal)),
  )
  t.strictSame(
    results.filter(({ code }) => code === 'tcp').map(({ target, reason }) => `${target} ${reason}`),
    ['127.0.0.1:1 Refused', '127.0.0.1:1 (known.test) Refused', 'unknown.test:1 Unreachable'],
  )
})

t.test('work that throws leaves nothing either', async t => {
  const bed = await makeBed(t)
  const work = async () => {
    throw new Error('no time')
  }
  await t.rejects(withSandbox(bed.options, signal, work), { message: 'no time' })
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
})

t.test('a chain that fails half-way is undone', async t => {
  const bed = await makeBed(t, {
    answer({ command }) {
      if (command === 'ADD') throw new CniError(999, 'no pod')
    },
  })
  await t.rejects(
    withSandbox(bed.options, signal, async () => 'work'),
    { code: 'SandboxRefused' },
  )
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
})

t.test('a chain that does not let go stays on record, and the work counts all the same', async t => {
  const bed = await makeBed(t, {
    answer({ command }) {
      if (command === 'DEL') throw new CniError(11, 'later')
    },
  })
  t.equal(await withSandbox(bed.options, signal, async () => 'done'), 'done')
  t.equal(await bed.records(), 1)
  t.match(bed.log.lines, [['warn', /this is tried again/]])
})

t.test('a network that lets go of nothing is not used up: after ten there are no more', async t => {
  let lets = false
  const bed = await makeBed(t, {
    answer({ command }) {
      if (command === 'DEL' && !lets) throw new CniError(11, 'later')
    },
  })
  const make = () => withSandbox(bed.options, signal, async () => 'done').catch(error => error)
  const made: unknown[] = []
  for (let turn = 0; turn < 20; turn++) made.push(await make())
  t.equal(made.filter(each => each === 'done').length, 11)
  t.match(made.at(-1), {
    code: 'SandboxRefused',
    message: /^network net: more than 10 sandboxes could not be detached: .*later$/,
  })
  t.equal(await bed.records(), 11)
  lets = true
  t.equal(await make(), 'done', 'and again once it lets go')
  t.equal(await bed.records(), 0)
})

t.test('what a network kept that is no more uses up nothing of the next one', async t => {
  const bed = await makeBed(t, {
    answer({ command, type }) {
      if (type === 'gone') throw new CniError(999, command === 'ADD' ? 'gone is not installed' : 'nor is it now')
    },
  })
  const make = () => withSandbox(bed.options, signal, async () => 'done').catch(error => error)
  const first = join(bed.options.paths.confFolder, '00-first.conflist')
  await writeFile(first, JSON.stringify({ cniVersion: '1.0.0', name: 'mm', plugins: [{ type: 'gone' }] }))
  for (let turn = 0; turn < 12; turn++) await make()
  t.match(await make(), { code: 'SandboxRefused', message: /^network mm: more than 10 sandboxes/ })
  await rm(first)
  t.equal(await make(), 'done')
  t.equal(await bed.records(), 11, 'they are kept for the day on which its plugins are back')
})

interface FaultCase {
  readonly name: string
  readonly bed: BedOptions
  readonly code: string
  readonly says: RegExp
}

const faults: readonly FaultCase[] = [
  { name: 'no network yet', bed: { conf: null }, code: 'NoNetwork', says: /there is no CNI network/ },
  { name: 'a conf that is none', bed: { conf: { name: 1 } }, code: 'NoNetwork', says: /10\.conflist/ },
  { name: 'no unshare', bed: { unshare: '' }, code: 'NoSandbox', says: /unshare is missing/ },
  {
    name: 'no rights',
    bed: { unshare: '#!/bin/sh\necho "unshare failed: Operation not permitted" >&2\nexit 1\n' },
    code: 'NoSandbox',
    says: /Operation not permitted/,
  },
  {
    name: 'a program that says something else',
    bed: { self: ['/bin/echo', 'hello'] },
    code: 'NoSandbox',
    says: /no network namespace/,
  },
  {
    name: "the host's files are not where they should be",
    bed: { self: ['/bin/sh', '-c', `echo '{"fault":"no /host/proc"}'; cat`] },
    code: 'NoSandbox',
    says: /no \/host\/proc/,
  },
]

for (const { name, bed: given, code, says } of faults) {
  t.test(`no sandbox: ${name}`, async t => {
    const bed = await makeBed(t, given)
    await t.rejects(
      withSandbox(bed.options, signal, async () => 'work'),
      { code, message: says },
    )
    t.strictSame(bed.calls, [], 'nothing was attached')
    t.equal(await bed.records(), 0)
  })
}

t.test('records that cannot be written: nothing is attached', async t => {
  const bed = await makeBed(t)
  await mkdir(bed.options.paths.lockFolder, { recursive: true })
  const paths = { ...bed.options.paths, recordFolder: '/dev/null/records' }
  await t.rejects(
    withSandbox({ ...bed.options, paths }, signal, async () => 'work'),
    { code: 'SandboxFailed', message: /recorded/ },
  )
  t.notMatch(bed.calls, ['ADD'])
})

t.test('a program that ends in the middle, or says too much, is lost; the sandbox goes', async t => {
  const hello = `echo '{"pid":7}'; read request`
  for (const rest of ['echo broken >&2', 'head -c 6000000 /dev/zero']) {
    const bed = await makeBed(t, { self: ['/bin/sh', '-c', `${hello}; ${rest}`] })
    const asked = withSandbox(bed.options, signal, sandbox => sandbox.ask('{}', signal))
    await t.rejects(asked, { code: 'SandboxFailed' }, rest)
    t.equal(await bed.records(), 0)
  }
})

t.test('a run that is called off ends the program and detaches', async t => {
  const bed = await makeBed(t, { self: ['/bin/sh', '-c', `echo '{"pid":7}'; read request; read more`] })
  const end = new AbortController()
  const asked = withSandbox(bed.options, end.signal, sandbox => {
    const answer = sandbox.ask('{}', end.signal)
    end.abort(new Error('the agent ends'))
    return answer
  })
  await t.rejects(asked, { message: 'the agent ends' })
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
})

const addressCases: readonly {
  readonly name: string
  readonly result: JsonObject
  readonly want: readonly string[]
}[] = [
  {
    name: 'both families',
    result: { cniVersion: '1.0.0', ips: [{ address: '10.42.1.7/24' }, { address: 'fd00::7/64' }] },
    want: ['10.42.1.7', 'fd00::7'],
  },
  { name: 'an old version', result: { cniVersion: '0.2.0', ip4: { ip: '10.42.1.7/24' } }, want: ['10.42.1.7'] },
  { name: 'no addresses', result: { cniVersion: '1.0.0' }, want: [] },
  { name: 'a version to come', result: { cniVersion: '9.0.0', ips: [{ address: '10.42.1.7/24' }] }, want: [] },
  { name: 'junk', result: { cniVersion: '1.0.0', ips: [{ address: 5 }] }, want: [] },
]

for (const { name, result, want } of addressCases) {
  t.test(`addresses of a sandbox: ${name}`, t => {
    t.strictSame(addressesOf(result), want)
    t.end()
  })
}
