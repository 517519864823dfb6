import t from 'tap'
import { type AttachTo, addChain, checkChain, delChain, gcChain, statusChain } from '../../../../cni/spec/chain.ts'
import { type ConfList, confListFrom } from '../../../../cni/spec/conf.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import type { CniVersion } from '../../../../cni/spec/versions.ts'
import { FakeRunner, failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'

const to: AttachTo = { containerId: 'c1', netns: '/run/netns/x', ifname: 'eth0', args: 'A=1', capabilityArgs: {} }
const result: JsonObject = { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }], dns: {} }

function chain(cniVersion: CniVersion, more: JsonObject = {}): ConfList {
  return confListFrom({ name: 'net', cniVersion, plugins: [{ type: 'a' }, { type: 'b' }, { type: 'c' }], ...more })
}

t.test('ADD: in order, each with the result of the one before it', async t => {
  const runner = new FakeRunner(({ type, config }) => ({
    ips: [...((config.prevResult as { ips?: JsonObject[] } | undefined)?.ips ?? []), { address: `${type}/24` }],
  }))
  const answer = await addChain(runner, chain('1.0.0'), to)
  t.strictSame(runner.trace, ['ADD a eth0', 'ADD b eth0', 'ADD c eth0'])
  t.strictSame(answer, { cniVersion: '1.0.0', ips: [{ address: 'a/24' }, { address: 'b/24' }, { address: 'c/24' }] })
  t.strictSame(runner.calls[0]?.config, { type: 'a', name: 'net', cniVersion: '1.0.0' })
  t.strictSame(runner.calls[1]?.config.prevResult, { ips: [{ address: 'a/24' }], cniVersion: '1.0.0' })
  t.strictSame(runner.calls[0]?.variables, {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/x',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: 'A=1',
  })
})

t.test('ADD: an answer in another version becomes one of the list', async t => {
  const runner = new FakeRunner(() => ({ cniVersion: '0.2.0', ip4: { ip: '10.1.0.2/24' } }))
  const list = confListFrom({ name: 'net', cniVersion: '1.0.0', type: 'a' })
  t.strictSame(await addChain(runner, list, to), { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }], dns: {} })
})

t.test('ADD: goes on from a result that is given', async t => {
  const runner = new FakeRunner()
  await addChain(runner, chain('1.0.0'), to, result)
  t.strictSame(runner.calls[0]?.config.prevResult, result)
})

t.test('ADD: stops at the first failure, with the words of the plugin', async t => {
  const runner = new FakeRunner(failing({ 'ADD b eth0': 77 }))
  t.match(await refusalOf(() => addChain(runner, chain('1.0.0'), to)), { code: 77, message: 'ADD b eth0 as ordered' })
  t.strictSame(runner.trace, ['ADD a eth0', 'ADD b eth0'])
})

interface BadAnswerCase {
  readonly name: string
  readonly answer: JsonObject | undefined
  readonly code: number
}

const badAnswerCases: readonly BadAnswerCase[] = [
  { name: 'none', answer: undefined, code: 6 },
  { name: 'of a version nobody knows', answer: { cniVersion: '7.0.0' }, code: 1 },
  { name: 'not a result', answer: { ips: 5 }, code: 6 },
]

for (const { name, answer, code } of badAnswerCases) {
  t.test(`ADD: an answer that is ${name}`, async t => {
    const runner = new FakeRunner(() => answer)
    t.equal((await refusalOf(() => addChain(runner, chain('1.0.0'), to))).code, code)
    t.equal(runner.calls.length, 1)
  })
}

t.test('what only a runtime may set comes from the call; what somebody wrote for it comes below', async t => {
  const list = confListFrom({
    name: 'net',
    cniVersion: '1.1.0',
    type: 'a',
    capabilities: { mac: true, ips: false, portMappings: 'true' },
    runtimeConfig: { bandwidth: { ingressRate: 1 }, mac: 'w' },
    prevResult: { stale: true },
    'cni.dev/valid-attachments': [],
    args: { cni: { kept: true } },
    odd: 1,
  })
  const runner = new FakeRunner()
  await addChain(runner, list, { ...to, capabilityArgs: { mac: 'x', ips: [], portMappings: [], deviceID: 'd' } })
  t.strictSame(runner.calls[0]?.config, {
    type: 'a',
    name: 'net',
    cniVersion: '1.1.0',
    args: { cni: { kept: true } },
    odd: 1,
    runtimeConfig: { bandwidth: { ingressRate: 1 }, mac: 'x' },
  })
})

t.test('a runtimeConfig that somebody wrote stays where nothing comes over it, in each command', async t => {
  const runtimeConfig = { bandwidth: { ingressRate: 1000 } }
  const list = confListFrom({
    name: 'net',
    cniVersion: '1.1.0',
    plugins: [{ type: 'a' }, { type: 'b', runtimeConfig }],
  })
  const runner = new FakeRunner()
  await addChain(runner, list, { ...to, capabilityArgs: { mac: 'x' } })
  await checkChain(runner, list, to, result)
  await delChain(runner, list, to, result)
  await gcChain(runner, list, [])
  const ofB = runner.calls.filter(({ type }) => type === 'b').map(({ config }) => config.runtimeConfig)
  t.strictSame(ofB, [runtimeConfig, runtimeConfig, runtimeConfig, runtimeConfig])
})

t.test('without a declared capability there is no runtimeConfig', async t => {
  const runner = new FakeRunner()
  await addChain(runner, chain('1.0.0'), { ...to, capabilityArgs: { mac: 'x' } })
  t.notOk(runner.calls.some(({ config }) => 'runtimeConfig' in config))
})

t.test('DEL: in reverse, over failures, the first of which is told', async t => {
  const runner = new FakeRunner(failing({ 'DEL c eth0': 5, 'DEL a eth0': 6 }))
  t.equal((await refusalOf(() => delChain(runner, chain('1.0.0'), to, result))).code, 5)
  t.strictSame(runner.trace, ['DEL c eth0', 'DEL b eth0', 'DEL a eth0'])
  t.strictSame(
    runner.calls.map(({ config }) => config.prevResult),
    [result, result, result],
  )
})

interface PrevCase {
  readonly version: CniVersion
  readonly want: boolean
}

const prevCases: readonly PrevCase[] = [
  { version: '0.3.1', want: false },
  { version: '0.4.0', want: true },
  { version: '1.1.0', want: true },
]

for (const { version, want } of prevCases) {
  t.test(`DEL: ${version} ${want ? 'has' : 'does not know'} prevResult`, async t => {
    const runner = new FakeRunner()
    await delChain(runner, chain(version), to, result)
    t.equal(runner.calls.length, 3)
    t.equal('prevResult' in (runner.calls[0]?.config ?? {}), want)
  })
}

t.test('DEL: without a result', async t => {
  const runner = new FakeRunner()
  await delChain(runner, chain('1.0.0'), { ...to, netns: '' })
  t.equal(runner.calls.length, 3)
  t.equal(runner.calls[0]?.variables.CNI_NETNS, '')
  t.notOk('prevResult' in (runner.calls[0]?.config ?? {}))
})

interface AskedCase {
  readonly name: string
  readonly list: ConfList
  readonly command: 'CHECK' | 'STATUS' | 'GC'
  readonly want: readonly string[]
}

const askedCases: readonly AskedCase[] = [
  { name: 'CHECK', list: chain('0.4.0'), command: 'CHECK', want: ['CHECK a eth0', 'CHECK b eth0', 'CHECK c eth0'] },
  { name: 'CHECK, before it was there', list: chain('0.3.1'), command: 'CHECK', want: [] },
  { name: 'CHECK, switched off', list: chain('1.0.0', { disableCheck: true }), command: 'CHECK', want: [] },
  { name: 'STATUS', list: chain('1.1.0'), command: 'STATUS', want: ['STATUS a', 'STATUS b', 'STATUS c'] },
  { name: 'STATUS, before it was there', list: chain('1.0.0'), command: 'STATUS', want: [] },
  { name: 'GC', list: chain('1.1.0'), command: 'GC', want: ['GC a', 'GC b', 'GC c'] },
  { name: 'GC, before it was there', list: chain('1.0.0'), command: 'GC', want: [] },
  { name: 'GC, switched off', list: chain('1.1.0', { disableGC: 'true' }), command: 'GC', want: [] },
]

const valid = [{ containerID: 'c1', ifname: 'eth0' }]

for (const { name, list, command, want } of askedCases) {
  t.test(`asked: ${name}`, async t => {
    const runner = new FakeRunner()
    if (command === 'CHECK') await checkChain(runner, list, to, result)
    if (command === 'STATUS') await statusChain(runner, list)
    if (command === 'GC') await gcChain(runner, list, valid)
    t.strictSame(runner.trace, want)
  })
}

t.test('CHECK: with the result, until the first failure', async t => {
  const runner = new FakeRunner(failing({ 'CHECK b eth0': 44 }))
  t.equal((await refusalOf(() => checkChain(runner, chain('1.0.0'), to, result))).code, 44)
  t.strictSame(runner.trace, ['CHECK a eth0', 'CHECK b eth0'])
  t.strictSame(runner.calls[0]?.config.prevResult, result)
})

t.test('STATUS: no variable of a container, until the first failure', async t => {
  const runner = new FakeRunner(failing({ 'STATUS a': 50 }))
  t.equal((await refusalOf(() => statusChain(runner, chain('1.1.0')))).code, 50)
  const given = Object.entries(runner.calls[0]?.variables ?? {}).filter(([, value]) => value !== undefined)
  t.strictSame(given, [['CNI_COMMAND', 'STATUS']])
  t.equal(runner.calls.length, 1)
})

t.test('GC: both keys, all plugins, over failures', async t => {
  const runner = new FakeRunner(failing({ 'GC a': 12, 'GC c': 13 }))
  t.equal((await refusalOf(() => gcChain(runner, chain('1.1.0'), valid))).code, 12)
  t.strictSame(runner.trace, ['GC a', 'GC b', 'GC c'])
  t.strictSame(runner.calls[1]?.config, {
    type: 'b',
    name: 'net',
    cniVersion: '1.1.0',
    'cni.dev/valid-attachments': valid,
    'cni.dev/attachments': valid,
  })
})
