import t from 'tap'
import { add } from '../../../../cni/kactus/add.ts'
import { failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench } from './bench.ts'
import { aux, BLUE, GREEN, hotplugged, podArgs, primary, recordOf } from './fixtures.ts'

const green = { args: `${podArgs};K8S_POD_NETWORK=green` }

t.test('one more network for a container that runs', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary()]), true)
  const result = await add(bench.call('ADD', { request: { ...green, netns: '/run/netns/y' } }))
  t.strictSame(bench.runner.trace, [`ADD aux ${GREEN}`])
  t.equal(bench.runner.calls[0]?.variables.CNI_NETNS, '/run/netns/y')
  t.equal(bench.runner.calls[0]?.variables.CNI_ARGS, podArgs)
  t.match(result, { interfaces: [{ name: GREEN }] })
  t.strictSame(await bench.state(), ['eth0 added', `${GREEN} added`])
  t.equal((await bench.record())?.attachments[1]?.owner, undefined)
})

t.test('a network that is attached already: its result, and nothing runs', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary(), aux()]), true)
  const result = await add(bench.call('ADD', { request: green }))
  t.strictSame(result, aux().result)
  t.strictSame(bench.runner.trace, [])
})

t.test('a network that is attached with another hardware address', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary(), aux({ mac: '0a:58:0a:01:00:02' })]), true)
  const withMac = (mac: string) => bench.call('ADD', { request: { args: `${green.args};K8S_POD_IFMAC=${mac}` } })
  t.equal((await refusalOf(() => add(withMac('0a:58:0a:01:00:03')))).code, 105)
  t.strictSame(await add(withMac('0A:58:0A:01:00:02')), aux().result)
  t.strictSame(bench.runner.trace, [])
})

t.test('a network whose ADD was broken off is undone and attached anew', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary(), aux({ owner: undefined, status: 'adding', result: undefined })]), true)
  await add(bench.call('ADD', { request: green }))
  t.strictSame(bench.runner.trace, [`DEL aux ${GREEN}`, `ADD aux ${GREEN}`])
  t.strictSame(await bench.state(), ['eth0 added', `${GREEN} added`])
})

t.test('a network whose DEL was broken off is undone and attached anew', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), hotplugged({ status: 'adding' })]), true)
  bench.asks([])
  await add(bench.call('ADD', { request: { args: `${podArgs};K8S_POD_NETWORK=blue` } }))
  t.strictSame(bench.runner.trace, [`DEL hot ${BLUE}`, `ADD aux ${BLUE}`])
})

t.test('a network that cannot be undone is not attached anew', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary(), aux({ owner: undefined, status: 'adding', result: undefined })]), true)
  bench.plays(failing({ [`DEL aux ${GREEN}`]: 66 }))
  t.equal((await refusalOf(() => add(bench.call('ADD', { request: green })))).code, 66)
  t.strictSame(await bench.state(), ['eth0 added', `${GREEN} adding`])
})

t.test('a network that fails leaves the rest of the container alone', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await bench.store.write(recordOf([primary(), hotplugged()]), true)
  bench.plays(failing({ [`ADD aux ${GREEN}`]: 77 }))
  t.equal((await refusalOf(() => add(bench.call('ADD', { request: green })))).code, 77)
  t.strictSame(bench.runner.trace, [`ADD aux ${GREEN}`, `DEL aux ${GREEN}`])
  t.strictSame(await bench.state(), ['eth0 added', `${BLUE} added`])
})

interface GoneCase {
  readonly name: string
  readonly record: Parameters<typeof recordOf>[0] | undefined
}

const goneCases: readonly GoneCase[] = [
  { name: 'never attached', record: undefined },
  { name: 'on its way', record: [primary({ status: 'adding' })] },
  { name: 'gone', record: [primary({ status: 'deleted' })] },
]

for (const { name, record } of goneCases) {
  t.test(`a container that is ${name} gets no further network`, async t => {
    const bench = new Bench(t)
    bench.asks([])
    if (record !== undefined) await bench.store.write(recordOf(record), true)
    t.equal((await refusalOf(() => add(bench.call('ADD', { request: green })))).code, 3)
    t.strictSame(bench.runner.trace, [])
  })
}

t.test('a container that another plugin attached may be adopted', async t => {
  const bench = new Bench(t)
  bench.asks([])
  await add(bench.call('ADD', { request: { args: `${green.args};NOPAL_ADOPT=1` } }))
  t.strictSame(await bench.state(), [`${GREEN} added`])
  t.match(await bench.record(), { pod: { name: 'p1' }, netns: '/run/netns/x' })
})
