import { basename } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const all = {
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:09', sandbox: '/n', mtu: 1400, pciID: '0' }],
  ips: [
    { address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
    { address: 'fd00::2/64', interface: 0 },
  ],
  routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, table: 5 }, { dst: '::/0' }],
  dns: { nameservers: ['10.96.0.10'] },
}
const old = {
  ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }] },
  ip6: { ip: 'fd00::2/64', routes: [{ dst: '::/0' }] },
  dns: all.dns,
}
const middle = {
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:09', sandbox: '/n' }],
  ips: [
    { version: '4', address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
    { version: '6', address: 'fd00::2/64', interface: 0 },
  ],
  routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }],
  dns: all.dns,
}
const stable = { ...middle, ips: all.ips }

/** A2, A3: what the caller gets of a delegate's answer in another version. */
const conversions = [
  { name: 'to 0.1.0', asked: '0.1.0', answer: { cniVersion: '1.1.0', ...all }, got: old },
  { name: 'to 0.2.0', asked: '0.2.0', answer: { cniVersion: '1.1.0', ...all }, got: old },
  { name: 'to 0.3.0', asked: '0.3.0', answer: { cniVersion: '1.1.0', ...all }, got: middle },
  { name: 'to 0.3.1', asked: '0.3.1', answer: { cniVersion: '1.1.0', ...all }, got: middle },
  { name: 'to 0.4.0', asked: '0.4.0', answer: { cniVersion: '1.1.0', ...all }, got: middle },
  { name: 'to 1.0.0', asked: '1.0.0', answer: { cniVersion: '1.1.0', ...all }, got: stable },
  { name: 'to 1.1.0', asked: '1.1.0', answer: { cniVersion: '1.1.0', ...all }, got: all },
  {
    name: '0.2.0 up to 1.0.0',
    asked: '1.0.0',
    answer: { cniVersion: '0.2.0', ...old },
    got: {
      ips: [{ address: '10.1.0.2/24', gateway: '10.1.0.1' }, { address: 'fd00::2/64' }],
      routes: stable.routes,
      dns: all.dns,
    },
  },
  { name: '0.4.0 up to 1.1.0', asked: '1.1.0', answer: { cniVersion: '0.4.0', ...middle }, got: stable },
  { name: 'no version: that of the configuration', asked: '0.4.0', answer: middle, got: middle },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('A1: one document, logs elsewhere; the default network first, all names as documented', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green')
      bed.putNetwork('blue', { type: 'fake-c' })
      bed.putPod([{ name: 'green' }, { name: 'blue' }])
      await bed.order('fake-a', 'ADD', 'err', 'a word on stderr\n')
      const answer = await bed.add({ env: { _CNI_LOGGING_LEVEL: '3' } })
      t.match(documentOf(answer), { cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] })
      t.equal(answer.stdout.trim().split('\n').length, 1)
      t.match(answer.stderr, /a word on stderr/, "X2: the child's stderr is ours")
      t.equal(bed.trace()[0], 'ADD fake-a eth0')
      t.same(bed.trace().toSorted(), ['ADD fake-a eth0', `ADD fake-b ${green}`, `ADD fake-c ${blue}`])
    })

    for (const row of conversions) {
      t.test(`A2, A3: ${row.name}`, async t => {
        const bed = await KactusBed.make(t, program)
        await bed.order('fake-a', 'ADD', 'out', row.answer)
        const answer = await bed.run('ADD', { conf: bed.conf({ cniVersion: row.asked }) })
        t.same(documentOf(answer), { cniVersion: row.asked, ...row.got })
      })
    }

    t.test('A2: a result without an address cannot be said in 0.2.0: all is undone', async t => {
      const bed = await KactusBed.make(t, program)
      await bed.order('fake-a', 'ADD', 'out', { cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] })
      const answer = await bed.run('ADD', { conf: bed.conf({ cniVersion: '0.2.0' }) })
      t.match(documentOf(answer), { code: 1, cniVersion: '0.2.0' })
      t.same([bed.trace(), bed.state(), bed.held()], [['ADD fake-a eth0', 'DEL fake-a eth0'], [], []])
    })

    t.test('A3: an answer in a version nobody knows, or none at all, is an error and undone', async t => {
      for (const out of ['{"cniVersion":"7.0.0"}', '', 'rubbish', '[]', '{"ips":5}', '{"ips":[{"address":5}]}']) {
        const bed = await KactusBed.make(t, program)
        await bed.order('fake-a', 'ADD', 'out', out)
        const answer = await bed.run('ADD')
        t.match(documentOf(answer), { code: Number, msg: /./ }, out)
        t.same([bed.trace(), bed.state(), bed.held()], [['ADD fake-a eth0', 'DEL fake-a eth0'], [], []], out)
      }
    })

    t.test('A4: what came before us in a chain is in the result', async t => {
      const bed = await KactusBed.make(t, program)
      const prevResult = {
        cniVersion: '1.0.0',
        interfaces: [{ name: 'lo' }],
        ips: [{ address: '127.0.0.1/8', interface: 0 }],
        dns: {},
      }
      const answer = await bed.run('ADD', { conf: bed.conf({ prevResult }) })
      t.same(documentOf(answer).interfaces, [{ name: 'eth0', sandbox: '/var/run/netns/none-such' }, { name: 'lo' }])
      t.match(documentOf(answer).ips, [{ interface: 0 }, { address: '127.0.0.1/8', interface: 1 }])
      t.match(bed.stdinOf(bed.call('ADD')).prevResult, prevResult, 'and reaches the default network')
    })

    t.test('A5: ADD for an interface that is attached', async t => {
      const bed = await KactusBed.make(t, program)
      t.equal((await bed.run('ADD')).code, 0)
      t.match(documentOf(await bed.run('ADD')), { code: 105 })
      t.same(bed.trace(), ['ADD fake-a eth0'], 'and what is there is left alone')
      t.equal((await bed.run('ADD', { ifname: 'eth1' })).code, 0, 'another interface is another matter')
    })

    t.test('A6: a failure undoes all and keeps its words', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green')
      bed.putNetwork('blue', { type: 'fake-c' })
      bed.putPod([{ name: 'green' }, { name: 'blue' }])
      await bed.fail('fake-c', 'ADD', 123, 'no blue today')
      t.match(documentOf(await bed.add()), { code: 123, msg: 'no blue today' })
      t.same(bed.trace().slice(3).toSorted(), ['DEL fake-a eth0', `DEL fake-b ${green}`, `DEL fake-c ${blue}`])
      t.same([bed.state(), bed.held()], [[], []])
    })

    t.test('A6: the default network fails: the others are not begun', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green')
      bed.putPod([{ name: 'green' }])
      await bed.order('fake-a', 'ADD', 'code', '3')
      await bed.order('fake-a', 'ADD', 'out', '')
      await bed.order('fake-a', 'ADD', 'err', 'its last words')
      t.match(documentOf(await bed.add()), { code: 107, msg: /fake-a.*exit code 3/, details: /its last words/ })
      t.same([bed.trace(), bed.state(), bed.held()], [['ADD fake-a eth0', 'DEL fake-a eth0'], [], []])
    })

    t.test('A6: what cannot be undone stays on record until the next DEL', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green')
      bed.putPod([{ name: 'green' }])
      await bed.fail('fake-b', 'ADD')
      await bed.fail('fake-b', 'DEL')
      t.equal((await bed.add()).code, 1)
      t.equal(bed.state().length, 1)
      await bed.heal('fake-b', 'DEL')
      await bed.forgetCalls()
      t.equal((await bed.del()).code, 0)
      t.same([bed.trace(), bed.state(), bed.held()], [[`DEL fake-b ${green}`], [], []])
    })

    t.test('X2, X3: what a delegate is given', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putPod([])
      const delegate =
        '{"type":"fake-a","name":"main","big":12345678901234567890,"f":1.0,"__proto__":{"x":1},"capabilities":{"portMappings":true,"mac":true},"runtimeConfig":{"fixed":1},"prevResult":{"stale":1},"cni.dev/x":1,"masterPlugin":true}'
      const conf = JSON.stringify(bed.conf({ runtimeConfig: { portMappings: [{ hostPort: 1 }], other: 1 } })).replace(
        /"delegates":\[.*?\]/,
        `"delegates":[${delegate}]`,
      )
      t.equal((await bed.add({ conf, env: { TRACEPARENT: '00-1' } })).code, 0)
      const call = bed.call('ADD')
      const text = bed.stdinTextOf(call)
      t.match(bed.environmentOf(call), /^TRACEPARENT=00-1$/m, 'the environment is passed on')
      t.match(text, '"big":12345678901234567890,"f":1.0,"__proto__":{"x":1}', 'every byte of a number')
      t.same(
        Object.keys(bed.stdinOf(call)).toSorted(),
        ['big', 'cniVersion', 'f', 'name', 'runtimeConfig', 'type', '__proto__'].toSorted(),
      )
      const runtimeConfig = { fixed: 1, portMappings: [{ hostPort: 1 }] }
      t.same(bed.stdinOf(call).runtimeConfig, runtimeConfig, 'what it declares, over what stands there')
    })

    t.test('a delegate keeps its own version; where it has none it gets ours', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green', { type: 'fake-b', cniVersion: '0.3.1' })
      bed.putPod([{ name: 'green' }])
      t.equal((await bed.add({ conf: bed.conf({ cniVersion: '0.4.0' }) })).code, 0)
      t.equal(bed.stdinOf(bed.call('ADD', 'eth0')).cniVersion, '0.4.0')
      t.equal(bed.stdinOf(bed.call('ADD', green)).cniVersion, '0.3.1')
    })

    t.test('a chain runs in order, each with the result before it, and back', async t => {
      const bed = await KactusBed.make(t, program)
      const chain = { name: 'main', plugins: [{ type: 'fake-a' }, { type: 'fake-b' }] }
      await bed.order('fake-b', 'ADD', 'out', { cniVersion: '1.0.0', ips: [{ address: '10.9.9.9/24' }] })
      const conf = bed.conf({ delegates: [chain] })
      t.match(documentOf(await bed.run('ADD', { conf })), { ips: [{ address: '10.9.9.9/24' }] })
      t.match(bed.stdinOf(bed.calls().find(call => call.plugin === 'fake-b')).prevResult, {
        ips: [{ address: '10.1.0.2/24' }],
      })
      t.equal((await bed.run('DEL', { conf })).code, 0)
      t.same(bed.trace(), ['ADD fake-a eth0', 'ADD fake-b eth0', 'DEL fake-b eth0', 'DEL fake-a eth0'])
      t.match(bed.stdinOf(bed.call('DEL')).prevResult, { ips: [{ address: '10.9.9.9/24' }] }, 'DEL has the last result')
    })

    t.test('ifMac reaches its network and no other; also as a capability', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green', { type: 'fake-b', capabilities: { mac: true } })
      bed.putNetwork('blue', { type: 'fake-c' })
      bed.putPod([
        { name: 'green', ifMac: '02:00:00:00:00:0A' },
        { name: 'blue', ifMac: '' },
      ])
      t.equal((await bed.add()).code, 0)
      t.match(bed.call('ADD', green)?.args, /;CNI_IFMAC=02:00:00:00:00:0a;MAC=02:00:00:00:00:0a$/)
      t.notMatch(bed.call('ADD', blue)?.args, 'MAC=')
      t.notMatch(bed.call('ADD', 'eth0')?.args, 'MAC=')
      t.same(bed.stdinOf(bed.call('ADD', green)).runtimeConfig, { mac: '02:00:00:00:00:0a' })
      t.match(bed.call('ADD', 'eth0')?.args, /K8S_POD_UID=u1/, 'the pod is passed on whole')
    })

    t.test('isPrimary takes the place of the default network, with its own MAC', async t => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green')
      bed.putNetwork('blue', { type: 'fake-c' })
      bed.putPod([{ name: 'blue' }, { name: 'green', ifMac: '02:00:00:00:00:0a', isPrimary: true }])
      await bed.order('fake-b', 'ADD', 'out', { cniVersion: '1.0.0', ips: [{ address: '10.7.0.2/24' }] })
      t.match(documentOf(await bed.add()), { ips: [{ address: '10.7.0.2/24' }] })
      t.same(bed.trace(), ['ADD fake-b eth0', `ADD fake-c ${blue}`])
      t.match(bed.call('ADD', 'eth0')?.args, /;MAC=02/)
      t.notMatch(bed.call('ADD', blue)?.args, /MAC=/)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('several default delegates: the master on eth0, the others on their own names', async t => {
      const bed = await KactusBed.make(t, program)
      const delegates = [
        { type: 'fake-b', name: 'blue' },
        { type: 'fake-a', name: 'main', masterplugin: true },
      ]
      const conf = bed.conf({ delegates })
      t.equal((await bed.run('ADD', { conf })).code, 0)
      t.same(bed.trace(), ['ADD fake-a eth0', `ADD fake-b ${blue}`])
      t.equal((await bed.run('DEL', { conf })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test("multus' annotation, in text and JSON, where ours is absent", async t => {
      const rows = [
        { text: 'green, default/blue@mine', calls: [`ADD fake-b ${green}`, 'ADD fake-c mine'] },
        {
          text: '[{"name":"green"},{"name":"blue","interface":"mine","namespace":"default"}]',
          calls: [`ADD fake-b ${green}`, 'ADD fake-c mine'],
        },
      ]
      for (const { text, calls } of rows) {
        const bed = await KactusBed.make(t, program)
        for (const [name, type] of [
          ['green', 'fake-b'],
          ['blue', 'fake-c'],
        ] as const) {
          const object = { metadata: { name, namespace: 'default' }, spec: { config: JSON.stringify({ type }) } }
          bed.agent.putNetwork('NetworkAttachmentDefinition', 'default', name, object)
        }
        bed.putPod(undefined, { 'k8s.v1.cni.cncf.io/networks': text })
        t.equal((await bed.add()).code, 0)
        t.same(bed.trace().slice(1).toSorted(), calls, text)
      }
    })

    t.test('wishes of the JSON form reach plugins that can fulfil them', async t => {
      const bed = await KactusBed.make(t, program)
      const config = { plugins: [{ type: 'fake-b', capabilities: { ips: true, mac: true }, args: { cni: { a: 1 } } }] }
      const object = { metadata: { name: 'green', namespace: 'default' }, spec: { config: JSON.stringify(config) } }
      bed.agent.putNetwork('NetworkAttachmentDefinition', 'default', 'green', object)
      const entry = {
        name: 'green',
        ips: ['10.0.0.9/24'],
        mac: '02:00:00:00:00:0a',
        bandwidth: {},
        'cni-args': { b: 2 },
      }
      bed.putPod(undefined, { 'k8s.v1.cni.cncf.io/networks': JSON.stringify([entry]) })
      t.equal((await bed.add()).code, 0)
      t.match(bed.stdinOf(bed.call('ADD', green)), {
        runtimeConfig: { ips: ['10.0.0.9/24'], mac: '02:00:00:00:00:0a' },
        args: { cni: { a: 1, b: 2 } },
      })
    })

    t.test('no annotation, an empty one, [] and null are all no network', async t => {
      for (const text of [undefined, '', '[]', 'null', ' ']) {
        const bed = await KactusBed.make(t, program)
        bed.putPod(text)
        t.equal((await bed.add()).code, 0, String(text))
        t.same(bed.trace(), ['ADD fake-a eth0'], String(text))
      }
    })

    t.test('without a pod in CNI_ARGS nothing is looked up', async t => {
      const bed = await KactusBed.make(t, program)
      t.equal((await bed.run('ADD')).code, 0)
      t.equal(bed.agent.questions, 0)
    })
  })
}
