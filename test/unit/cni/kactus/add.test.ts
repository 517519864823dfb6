import { mkdir, writeFile } from 'node:fs/promises'
import t from 'tap'
import { add } from '../../../../cni/kactus/add.ts'
import type { PluginCall } from '../../../../cni/spec/plugin.ts'
import { answerOf, failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench, network } from './bench.ts'
import { aux, BLUE, GREEN, hotplugged, primary, recordOf } from './fixtures.ts'

const both = [{ name: 'green' }, { name: 'blue' }]

t.test('a container without a pod gets the default network, and nobody is asked', async t => {
  const bench = new Bench(t)
  const result = await add(bench.call('ADD', { request: { args: '' } }))
  t.strictSame(bench.runner.trace, ['ADD main eth0'])
  t.strictSame(result, { interfaces: [{ name: 'eth0' }], ips: [{ address: '10.1.0.2/24' }], cniVersion: '1.1.0' })
  t.strictSame(bench.files(), ['records/c1.json'], 'the record stays, no lock does')
})

t.test('the default network first, then the others; the answer is the result of the first', async t => {
  const bench = new Bench(t)
  bench.asks(both)
  const result = await add(bench.call('ADD', { conf: { cniVersion: '0.4.0' } }))
  t.strictSame(bench.runner.trace, ['ADD main eth0', `ADD aux ${GREEN}`, `ADD aux ${BLUE}`])
  t.match(result, { cniVersion: '0.4.0', interfaces: [{ name: 'eth0' }] })
  t.strictSame(await bench.state(), ['eth0 added', `${GREEN} added`, `${BLUE} added`])
  t.match(await bench.record(), { netns: '/run/netns/x', pod: { namespace: 'team', name: 'p1', uid: 'u1' } })
})

t.test('the record is on disk before the first plugin runs, and ahead of each', async t => {
  const bench = new Bench(t)
  bench.asks([{ name: 'green' }])
  const seen: unknown[] = []
  bench.plays(async call => {
    seen.push(await bench.state())
    return answerOf(call)
  })
  await add(bench.call('ADD'))
  t.strictSame(seen, [
    ['eth0 adding', `${GREEN} planned`],
    ['eth0 added', `${GREEN} adding`],
  ])
})

t.test("a network that takes the default one's place", async t => {
  const bench = new Bench(t)
  bench.asks([{ name: 'green', isPrimary: true }])
  await add(bench.call('ADD'))
  t.strictSame(bench.runner.trace, ['ADD aux eth0'])
})

t.test('in a chain: what came before goes in, and comes out beside ours', async t => {
  const bench = new Bench(t)
  bench.asks([{ name: 'green' }])
  bench.plays(({ variables }) => ({ ips: [{ address: variables.CNI_IFNAME === 'eth0' ? 'ours' : 'aux' }] }))
  const prevResult = { ips: [{ address: 'before' }] }
  const result = await add(bench.call('ADD', { conf: { prevResult } }))
  t.match(bench.runner.calls[0]?.config.prevResult, prevResult)
  t.notOk('prevResult' in (bench.runner.calls[1]?.config ?? {}))
  t.strictSame(result.ips, [{ address: 'ours' }, { address: 'before' }])
})

interface FailureCase {
  readonly name: string
  readonly faults: Readonly<Record<string, number>>
  readonly code: number
  readonly trace: readonly string[]
  readonly left: readonly string[]
}

const failureCases: readonly FailureCase[] = [
  {
    name: 'the default network: no other was begun',
    faults: { 'ADD main eth0': 77 },
    code: 77,
    trace: ['ADD main eth0', 'DEL main eth0'],
    left: [],
  },
  {
    name: 'another network: all are undone, the default one last',
    faults: { [`ADD aux ${BLUE}`]: 78 },
    code: 78,
    trace: [
      'ADD main eth0',
      `ADD aux ${GREEN}`,
      `ADD aux ${BLUE}`,
      `DEL aux ${BLUE}`,
      `DEL aux ${GREEN}`,
      'DEL main eth0',
    ],
    left: [],
  },
  {
    name: 'a network and its undoing: that is left for DEL, the rest is undone, the first error is told',
    faults: { [`ADD aux ${BLUE}`]: 78, [`DEL aux ${BLUE}`]: 79 },
    code: 78,
    trace: [
      'ADD main eth0',
      `ADD aux ${GREEN}`,
      `ADD aux ${BLUE}`,
      `DEL aux ${BLUE}`,
      `DEL aux ${GREEN}`,
      'DEL main eth0',
    ],
    left: ['eth0 deleted', `${GREEN} deleted`, `${BLUE} adding`],
  },
]

for (const { name, faults, code, trace, left } of failureCases) {
  t.test(`failing: ${name}`, async t => {
    const bench = new Bench(t)
    bench.asks(both)
    bench.plays(failing(faults))
    t.equal((await refusalOf(() => add(bench.call('ADD')))).code, code)
    t.strictSame(bench.runner.trace, trace)
    t.strictSame(await bench.state(), left)
    t.strictSame(bench.files(), left.length > 0 ? ['records/c1.json'] : [])
  })
}

t.test('a result that the version of the runtime cannot say is undone', async t => {
  const bench = new Bench(t)
  bench.plays(({ command }) => (command === 'ADD' ? { ips: [] } : undefined))
  const conf = { cniVersion: '0.2.0', delegates: [{ type: 'main', name: 'default', cniVersion: '1.0.0' }] }
  const error = await refusalOf(() => add(bench.call('ADD', { conf, request: { args: '' } })))
  t.equal(error.code, 1)
  t.strictSame(bench.runner.trace, ['ADD main eth0', 'DEL main eth0'])
  t.strictSame(bench.files(), [])
})

interface RefusedCase {
  readonly name: string
  readonly code: number
  readonly conf?: Readonly<Record<string, unknown>>
  readonly args?: string
  readonly annotation?: unknown
  readonly missing?: string
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'a plugin is missing', missing: 'aux', annotation: both, code: 106 },
  { name: 'no delegates', conf: { delegates: [] }, annotation: [], code: 7 },
  { name: 'the annotation is bad', annotation: 'green', code: 7 },
  { name: 'a network is nowhere', annotation: [{ name: 'red' }], code: 103 },
  { name: "a network is another team's", annotation: [{ name: 'red', namespace: 'rival' }], code: 110 },
  { name: 'two networks have one interface', annotation: [{ name: 'green' }, { name: 'green' }], code: 7 },
  { name: 'a network needs a device that the pod was not granted', annotation: [{ name: 'sriov' }], code: 109 },
  { name: 'the pod has no namespace', args: 'K8S_POD_NAME=p1', code: 4 },
  { name: 'a network without a pod', args: 'K8S_POD_NETWORK=green', code: 4 },
]

for (const { name, code, conf, args, annotation = [], missing } of refusedCases) {
  t.test(`refused before anything ran: ${name}`, async t => {
    const bench = new Bench(t)
    const sriov = network('sriov', { type: 'sriov' }, { 'k8s.v1.cni.cncf.io/resourceName': 'vendor.test/nic' })
    bench.asks(annotation, [network('green'), network('blue'), sriov])
    if (missing !== undefined) bench.runner.missing.add(missing)
    const call = bench.call('ADD', {
      conf: { kubeletDir: bench.folder, ...conf },
      ...(args !== undefined && { request: { args } }),
    })
    const error = await refusalOf(() => add(call))
    t.equal(error.code, code, error.message)
    t.strictSame(bench.runner.trace, [])
    t.strictSame(bench.files(), [])
  })
}

t.test('a device from the checkpoint file reaches the plugin', async t => {
  const bench = new Bench(t)
  const nic = { 'k8s.v1.cni.cncf.io/resourceName': 'vendor.test/nic' }
  bench.asks(
    [{ name: 'a' }, { name: 'b' }],
    [network('a', { type: 'sriov' }, nic), network('b', { type: 'sriov' }, nic)],
  )
  const entries = [{ PodUID: 'u1', ResourceName: 'vendor.test/nic', DeviceIDs: { '0': ['dev1', 'dev2'] } }]
  const checkpoint = JSON.stringify({ Data: { PodDeviceEntries: entries } })
  const kubeletDir = t.testdir({ 'device-plugins': { kubelet_internal_checkpoint: checkpoint } })
  await add(bench.call('ADD', { conf: { kubeletDir } }))
  const given = bench.runner.calls.slice(1).map(({ config }) => config.deviceID)
  t.strictSame(given.toSorted(), ['dev1', 'dev2'])
})

t.test('a second ADD of one interface', async t => {
  const bench = new Bench(t)
  await add(bench.call('ADD', { request: { args: '' } }))
  bench.plays()
  t.equal((await refusalOf(() => add(bench.call('ADD', { request: { args: '' } })))).code, 105)
  t.strictSame(bench.runner.trace, [])
  t.strictSame(await bench.state(), ['eth0 added'])
})

t.test('another interface of the runtime on the same container', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary()]), true)
  await add(bench.call('ADD', { request: { args: '', ifname: 'eth1' } }))
  t.strictSame(await bench.state(), ['eth0 added', 'eth1 added'])
})

t.test('what an ADD that was killed has left is undone first', async t => {
  const bench = new Bench(t)
  const left = [primary({ status: 'added' }), aux({ status: 'adding', result: undefined }), hotplugged()]
  await bench.store.write(recordOf(left), true)
  await add(bench.call('ADD', { request: { args: '' } }))
  t.strictSame(bench.runner.trace, [`DEL aux ${GREEN}`, 'DEL main eth0', 'ADD main eth0'])
  t.strictSame(await bench.state(), [`${BLUE} added`, 'eth0 added'], 'what is not of this ADD is left alone')
})

t.test('what was only planned needs no undoing', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary({ status: 'planned' }), aux({ status: 'planned' })]), true)
  await add(bench.call('ADD', { request: { args: '' } }))
  t.strictSame(bench.runner.trace, ['ADD main eth0'])
})

t.test('a failure names the network; words and time of a refusal are on record', async t => {
  const bench = new Bench(t)
  bench.asks([{ name: 'green' }])
  bench.plays(failing({ [`ADD aux ${GREEN}`]: 61, [`DEL aux ${GREEN}`]: 61 }))
  const error = await refusalOf(() => add(bench.call('ADD')))
  t.match(error, {
    code: 61,
    message: `ADD aux ${GREEN} as ordered`,
    details: `network team/green, interface ${GREEN}`,
  })
  const entry = (await bench.record())?.attachments.find(({ ifname }) => ifname === GREEN)
  t.match(entry, { status: 'adding', refusal: { code: 61, message: error.message } })
  t.ok(Math.abs(Date.now() - (entry?.refusal?.timeMs ?? 0)) < 60_000)
})

t.test('a plugin that is missing: the network that asks for it is named', async t => {
  const bench = new Bench(t)
  bench.asks([{ name: 'green' }])
  bench.runner.missing.add('aux')
  const error = await refusalOf(() => add(bench.call('ADD')))
  t.match(error, { code: 106, message: /aux is not installed/, details: /network team\/green/ })
  t.strictSame(bench.runner.trace, [])
})

t.test('what cannot be undone keeps the container from a new ADD', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary({ status: 'adding', result: undefined })]), true)
  bench.plays(failing({ 'DEL main eth0': 55 }))
  t.equal((await refusalOf(() => add(bench.call('ADD', { request: { args: '' } })))).code, 55)
  t.strictSame(bench.runner.trace, ['DEL main eth0'])
  t.strictSame(await bench.state(), ['eth0 adding'])
})

t.test('a record that is damaged counts as none', async t => {
  const bench = new Bench(t)
  await mkdir(`${bench.folder}/records`)
  await writeFile(`${bench.folder}/records/c1.json`, '{"schema":1')
  await add(bench.call('ADD', { request: { args: '' } }))
  t.equal(bench.said.length, 1)
  t.strictSame(await bench.state(), ['eth0 added'])
})

t.test('networks side by side are no more than the width, each with a record of its own', async t => {
  const bench = new Bench(t)
  const names = Array.from({ length: 12 }, (_none, index) => `n${index}`)
  bench.asks(
    names.map(name => ({ name })),
    names.map(name => network(name)),
  )
  let active = 0
  let most = 0
  bench.plays(async (call: PluginCall) => {
    most = Math.max(most, ++active)
    await new Promise(resolve => setImmediate(resolve))
    active--
    return answerOf(call)
  })
  await add(bench.call('ADD'))
  t.equal(most, 4)
  t.equal((await bench.state()).filter(line => line.endsWith(' added')).length, 13)
})
