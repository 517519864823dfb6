import { basename } from 'node:path'
import t from 'tap'
import { type Answer, documentOf, KactusBed, programs } from './kactus-bed.ts'

const names = Array.from({ length: 20 }, (_, index) => `n${index}`)

async function bedOfMany(t: Parameters<typeof KactusBed.make>[0], program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  for (const name of names) bed.putNetwork(name)
  bed.putPod([])
  return bed
}

const codes = (answers: readonly Answer[]) =>
  new Set(answers.map(({ code, stdout }) => (code === 0 ? 0 : JSON.parse(stdout).code)))

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('hot-plug: adds and removes one network of a running pod', async t => {
      const bed = await bedOfMany(t, program)
      const hot = (more: string) => ({ args: bed.args(more) })
      t.match(
        documentOf(await bed.runPatiently('ADD', hot('K8S_POD_NETWORK=n1'))),
        { code: 3 },
        'not before the pod has its default network',
      )
      t.equal((await bed.add()).code, 0)
      const mac = 'K8S_POD_NETWORK=default/n1;K8S_POD_IFMAC=02:00:00:00:00:0a'
      const added = await bed.runPatiently('ADD', hot(mac))
      t.match(documentOf(added), { cniVersion: '1.0.0', interfaces: [{ name: /^net[0-9a-f]{12}$/ }] })
      t.match(bed.calls().at(-1), { plugin: 'fake-b', args: /MAC=02:00:00:00:00:0a$/ })
      t.notMatch(bed.calls().at(-1)?.args, /K8S_POD_NETWORK|K8S_POD_IFMAC/, 'our own words stay with us')

      const calls = bed.trace().length
      t.same(
        documentOf(await bed.runPatiently('ADD', hot('K8S_POD_NETWORK=n1'))),
        documentOf(added),
        'again: the same answer',
      )
      t.match(documentOf(await bed.runPatiently('ADD', hot('K8S_POD_NETWORK=n1;K8S_POD_IFMAC=02:00:00:00:00:0b'))), {
        code: 105,
      })
      t.equal(bed.trace().length, calls, 'and no plugin ran')

      t.equal((await bed.run('DEL', hot('K8S_POD_NETWORK=n2'))).code, 0, 'what is not attached is detached')
      t.equal((await bed.run('DEL', hot('K8S_POD_NETWORK=n1'))).code, 0)
      t.equal(bed.held().length, 1)
      await bed.runPatiently('ADD', hot('K8S_POD_NETWORK=n3'))
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []], 'the DEL of the pod takes the hot-plugged ones too')
    })

    t.test('hot-plug: a network the pod came up with can go, its default network cannot', async t => {
      const bed = await bedOfMany(t, program)
      bed.putPod([{ name: 'n1' }, { name: 'n2', isPrimary: true }])
      t.equal((await bed.add()).code, 0)
      t.equal((await bed.run('DEL', { args: bed.args('K8S_POD_NETWORK=n1') })).code, 0)
      t.match(documentOf(await bed.run('DEL', { args: bed.args('K8S_POD_NETWORK=n2') })), { code: 7 })
      t.same(bed.held(), [`fake-b.${bed.container}.eth0`])
    })

    t.test('hot-plug: a pod from before kactus was here is adopted on request', async t => {
      const bed = await bedOfMany(t, program)
      const args = bed.args('K8S_POD_NETWORK=n1;NOPAL_ADOPT=1')
      t.equal((await bed.runPatiently('ADD', { args })).code, 0)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
      t.match(bed.call('DEL', 'eth0'), { plugin: 'fake-a' }, 'its default network is the configured one')
    })

    t.test("hot-plug: the pod's annotation says how, also in multus' form", async t => {
      const bed = await bedOfMany(t, program)
      t.equal((await bed.add()).code, 0)
      const config = JSON.stringify({ type: 'fake-c', capabilities: { ips: true } })
      const object = { metadata: { name: 'n5', namespace: 'default' }, spec: { config } }
      bed.agent.putNetwork('NetworkAttachmentDefinition', 'default', 'n5', object)
      const entry = { name: 'n5', interface: 'mine', mac: '02:00:00:00:00:0c', ips: ['10.0.0.5/24'] }
      bed.putPod(undefined, { 'k8s.v1.cni.cncf.io/networks': JSON.stringify([entry]) })
      t.equal((await bed.runPatiently('ADD', { args: bed.args('K8S_POD_NETWORK=n5') })).code, 0)
      const call = bed.call('ADD', 'mine')
      t.match(call, { plugin: 'fake-c', args: /MAC=02:00:00:00:00:0c$/ })
      t.same(bed.stdinOf(call).runtimeConfig, { ips: ['10.0.0.5/24'] })
      t.equal((await bed.run('DEL', { args: bed.args('K8S_POD_NETWORK=n5') })).code, 0)
      t.equal(bed.held().length, 1)
    })

    t.test('hot-plug: a failure leaves the pod as it was', async t => {
      const bed = await bedOfMany(t, program)
      t.equal((await bed.add()).code, 0)
      await bed.fail('fake-b', 'ADD', 99, 'no')
      t.match(documentOf(await bed.runPatiently('ADD', { args: bed.args('K8S_POD_NETWORK=n1') })), { code: 99 })
      t.same(bed.held(), [`fake-a.${bed.container}.eth0`])
      t.equal(bed.state().length, 1)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('20 hot-plugs at once are all recorded', async t => {
      const bed = await bedOfMany(t, program)
      t.equal((await bed.add()).code, 0)
      const adds = await Promise.all(
        names.map(name => bed.runPatiently('ADD', { args: bed.args(`K8S_POD_NETWORK=${name}`) })),
      )
      t.same(codes(adds), new Set([0]))
      t.equal(bed.held().length, 21)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('20 hot-plugs, the DEL of the pod and 20 unplugs at once: nothing remains', async t => {
      const bed = await bedOfMany(t, program)
      t.equal((await bed.add()).code, 0)
      const hot = (command: string) =>
        names.map(name => bed.runPatiently(command, { args: bed.args(`K8S_POD_NETWORK=${name}`) }))
      const [adds, dels, del] = await Promise.all([Promise.all(hot('ADD')), Promise.all(hot('DEL')), bed.del()])
      t.equal(del.code, 0)
      t.same(codes(dels), new Set([0]))
      t.ok(
        [...codes(adds)].every(code => code === 0 || code === 3),
        'added, or refused as the pod is gone',
      )
      for (const call of bed.calls().filter(({ phase, command }) => phase === 'E' && command === 'ADD')) {
        const undone = bed
          .calls()
          .filter(({ phase, command, ifname }) => phase === 'E' && command === 'DEL' && ifname === call.ifname)
        t.equal(undone.length, 1, `${call.plugin} ${call.ifname}`)
      }
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('20 ADDs of the same network at once: the plugin runs once', async t => {
      const bed = await bedOfMany(t, program)
      t.equal((await bed.add()).code, 0)
      const args = bed.args('K8S_POD_NETWORK=n1')
      const answers = await Promise.all(names.map(() => bed.runPatiently('ADD', { args })))
      t.same(new Set(answers.map(({ stdout }) => stdout)).size, 1, 'all get the same answer')
      t.same(bed.trace(), ['ADD fake-a eth0', bed.trace()[1]])
    })

    t.test('20 containers at once', async t => {
      const bed = await bedOfMany(t, program)
      bed.putPod([{ name: 'n1' }, { name: 'n2' }])
      const each = (command: string) =>
        Promise.all(names.map(name => bed.runPatiently(command, { args: bed.args(), container: `c-${name}` })))
      t.same(codes(await each('ADD')), new Set([0]))
      t.equal(bed.held().length, 60)
      t.same(codes(await each('DEL')), new Set([0]))
      t.same([bed.held(), bed.state()], [[], []])
    })
  })
}
