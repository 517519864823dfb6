import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

// What users of multus bring along: their annotations and objects, and multus itself as the node's default network.

const networks = 'k8s.v1.cni.cncf.io/networks'
const defaultNetwork = 'v1.multus-cni.io/default-network'
const green = 'net9f27410725ab'
const infiniband = '80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:ab:cd:ef'

function putAttachment(bed: KactusBed, name: string, config: object | undefined): void {
  const spec = config === undefined ? {} : { spec: { config: JSON.stringify(config) } }
  bed.agent.putNetwork('NetworkAttachmentDefinition', 'default', name, {
    metadata: { name, namespace: 'default' },
    ...spec,
  })
}

const refusals: readonly (readonly [string, string, RegExp])[] = [
  ['a default route', '[{"name":"green","default-route":["10.0.0.1"]}]', /"default-route"/],
  ['an empty default route', '[{"name":"green","default-route":[]}]', /"default-route"/],
  ['an address claim', '[{"name":"green","ipam-claim-reference":"c"}]', /"ipam-claim-reference"/],
  ['a key that nobody knows', '[{"name":"green","interfce":"x"}]', /"interfce"/],
  [
    'addresses that its plugin cannot give',
    '[{"name":"green","ips":["10.0.0.9/24"]}]',
    /"ips" of network default\/green/,
  ],
  ['an object without a configuration', 'empty', /^NetworkAttachmentDefinition default\/empty: has no "spec.config"$/],
]

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('the same attachment again counts on; a default network of the pod is on eth0', async t => {
      const bed = await KactusBed.make(t, program)
      putAttachment(bed, 'green', { type: 'fake-b' })
      putAttachment(bed, 'blue', { type: 'fake-c' })
      bed.putPod(undefined, { [networks]: 'green,green@data0,green', [defaultNetwork]: 'default/blue' })
      t.equal((await bed.add()).code, 0)
      const want = ['ADD fake-c eth0', `ADD fake-b ${green}`, 'ADD fake-b data0', 'ADD fake-b netbac60ac2110d']
      t.same(bed.trace().toSorted(), want.toSorted())
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a hardware address of twenty bytes, with dashes', async t => {
      const bed = await KactusBed.make(t, program)
      putAttachment(bed, 'green', { type: 'fake-b', capabilities: { mac: true } })
      const mac = infiniband.replaceAll(':', '-').toUpperCase()
      bed.putPod(undefined, { [networks]: JSON.stringify([{ name: 'green', mac }]) })
      t.equal((await bed.add()).code, 0)
      t.match(bed.stdinOf(bed.call('ADD', green)), { runtimeConfig: { mac: infiniband } })
      t.match(bed.call('ADD', green)?.args, `MAC=${infiniband}`)
    })

    for (const [name, text, says] of refusals) {
      t.test(`refused by name: ${name}`, async t => {
        const bed = await KactusBed.make(t, program)
        putAttachment(bed, 'green', { type: 'fake-b' })
        putAttachment(bed, 'empty', undefined)
        bed.putPod(undefined, { [networks]: text })
        t.match(documentOf(await bed.add()), { code: 7, msg: says })
        t.same([bed.calls(), bed.state()], [[], []])
      })
    }

    t.test('multus as the default network alone reads its annotations, and a log line says it', async t => {
      const bed = await KactusBed.make(t, program)
      await bed.installFake('multus')
      bed.putNetwork('blue', { type: 'fake-c' })
      bed.putPod([{ name: 'blue' }], { [networks]: 'none-such', [defaultNetwork]: 'none-such' })
      const logFile = join(bed.folder, 'log')
      const conf = bed.conf({ delegates: [{ type: 'multus', name: 'm' }], logLevel: 'info', logFile })
      t.equal((await bed.add({ conf })).code, 0)
      t.same(bed.trace(), ['ADD multus eth0', 'ADD fake-c net48d6215903df'])
      t.match(readFileSync(logFile, 'utf8'), `multus alone reads ${networks} and ${defaultNetwork}`)
      t.equal((await bed.del({ conf })).code, 0)
    })
  })
}
