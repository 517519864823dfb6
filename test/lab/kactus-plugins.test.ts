import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'
import { HeldNetns } from './kactus-netns.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'

interface PluginBed {
  readonly bed: KactusBed
  readonly host: HeldNetns
  readonly pod: HeldNetns
}

async function makeBed(t: Parameters<typeof KactusBed.make>[0], program: string): Promise<PluginBed> {
  const [host, pod] = await Promise.all([HeldNetns.make(t), HeldNetns.make(t)])
  const bed = await KactusBed.make(t, program)
  bed.prefix = host.prefix
  await bed.installReal('bridge', 'host-local', 'static', 'tuning', 'macvlan', 'portmap', 'loopback')
  return { bed, host, pod }
}

const bridge = (bed: KactusBed, name: string, net: number, more: object = {}) => ({
  type: 'bridge',
  name,
  bridge: `br-${name}`,
  ipam: { type: 'host-local', subnet: `10.${net}.0.0/24`, dataDir: join(bed.folder, 'ipam') },
  ...more,
})

/** Addresses that host-local has given out. */
function leases(bed: KactusBed): readonly string[] {
  const folder = join(bed.folder, 'ipam')
  if (!existsSync(folder)) return []
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter(name => /\/\d+\.\d+\.\d+\.\d+$/.test(name))
    .toSorted()
}

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('a network that its plugin refuses, in ADD and DEL alike, does not keep the pod for ever', async t => {
      const { bed, pod } = await makeBed(t, program)
      bed.putNetwork('green', { ...bridge(bed, 'green', 42), ipam: { type: 'host-local', subnet: 'nowhere' } })
      bed.putPod([{ name: 'green' }])
      const conf = bed.conf({ delegates: [bridge(bed, 'main', 41)] })
      const options = { conf, netns: pod.path, args: bed.args() }
      const refused = documentOf(await bed.runPatiently('ADD', options))
      t.match(refused, { msg: /nowhere/, details: /network default\/green/ }, 'said as the plugin says it, with a name')
      t.match(documentOf(await bed.run('DEL', options)), { msg: /nowhere/ })
      t.equal(bed.state().length, 1, 'kept for the retry')
      await bed.ageRefusals(60_000)
      const ended = await bed.run('DEL', options)
      t.equal(ended.code, 0, ended.stdout)
      t.match(ended.stderr, /network default\/green is let go/)
      t.same([bed.state(), await pod.interfaces(), leases(bed)], [[], [], []])
    })

    t.test('eth0, green and blue by bridge and host-local; CHECK; DEL leaves nothing', async t => {
      const { bed, host, pod } = await makeBed(t, program)
      bed.putNetwork('green', bridge(bed, 'green', 42))
      bed.putNetwork('blue', { plugins: [bridge(bed, 'blue', 43), { type: 'tuning', capabilities: { mac: true } }] })
      bed.putPod([{ name: 'green' }, { name: 'blue', ifMac: '02:00:00:00:00:0a' }])
      const conf = bed.conf({ delegates: [bridge(bed, 'main', 41, { isDefaultGateway: true })] })
      const options = { conf, netns: pod.path, args: bed.args() }
      const added = await bed.runPatiently('ADD', options)
      t.match(documentOf(added), { ips: [{ address: '10.41.0.2/24', gateway: '10.41.0.1' }] }, added.stderr)
      t.same(await pod.interfaces(), ['eth0 10.41.0.2/24', `${blue} 10.43.0.2/24`, `${green} 10.42.0.2/24`])
      t.match(await pod.run(['ip', 'link', 'show', blue]), /02:00:00:00:00:0a/)
      t.notMatch(await pod.run(['ip', 'link', 'show', 'eth0']), /02:00:00:00:00:0a/)

      const check = { ...options, conf: { ...conf, prevResult: documentOf(added) } }
      t.same((await bed.run('CHECK', check)).stdout, '')
      await pod.run(['ip', 'addr', 'flush', 'dev', green])
      t.match(
        documentOf(await bed.run('CHECK', check)),
        { code: Number, msg: /10\.42\.0\.2/ },
        'CHECK sees a lost address of green',
      )

      const del = await bed.run('DEL', options)
      t.same([del.code, del.stdout], [0, ''], del.stderr)
      t.same([await pod.interfaces(), leases(bed), bed.state()], [[], [], []])
      t.same(
        (await host.interfaces()).filter(name => name.startsWith('veth')),
        [],
      )
    })

    t.test('isPrimary with a MAC of its own, on eth0', async t => {
      const { bed, pod } = await makeBed(t, program)
      bed.putNetwork('green', { plugins: [bridge(bed, 'green', 42), { type: 'tuning', capabilities: { mac: true } }] })
      bed.putPod([{ name: 'green', isPrimary: true, ifMac: '02:00:00:00:00:0b' }])
      const options = { conf: bed.conf({ delegates: [bridge(bed, 'main', 41)] }), netns: pod.path, args: bed.args() }
      t.match(documentOf(await bed.runPatiently('ADD', options)), { ips: [{ address: '10.42.0.2/24' }] })
      t.same(await pod.interfaces(), ['eth0 10.42.0.2/24'])
      t.match(await pod.run(['ip', 'link', 'show', 'eth0']), /02:00:00:00:00:0b/)
      t.equal((await bed.run('DEL', options)).code, 0)
      t.same([await pod.interfaces(), leases(bed), bed.state()], [[], [], []])
    })

    t.test('A5: an interface of that name is there: ADD fails', async t => {
      const { bed, pod } = await makeBed(t, program)
      await pod.run(['ip', 'link', 'add', green, 'type', 'veth', 'peer', 'name', 'other'])
      bed.putNetwork('green', bridge(bed, 'green', 42))
      bed.putPod([{ name: 'green' }])
      const options = { conf: bed.conf({ delegates: [bridge(bed, 'main', 41)] }), netns: pod.path, args: bed.args() }
      t.match(documentOf(await bed.runPatiently('ADD', options)), { code: Number, msg: /already exists/ })
      t.same([leases(bed), bed.state()], [[], []])
    })

    t.test('A6: the second network cannot be made: the first goes again', async t => {
      const { bed, pod } = await makeBed(t, program)
      bed.putNetwork('green', bridge(bed, 'green', 42))
      // One address to give, and it is given.
      const ipam = { type: 'host-local', subnet: '10.43.0.0/30', dataDir: join(bed.folder, 'ipam') }
      bed.putNetwork('blue', bridge(bed, 'blue', 43, { ipam }))
      bed.putPod([{ name: 'blue' }])
      const conf = bed.conf({ delegates: [bridge(bed, 'main', 41)] })
      const other = await HeldNetns.make(t)
      const first = { conf, netns: other.path, args: bed.args(), container: 'first' }
      t.equal((await bed.runPatiently('ADD', first)).code, 0)
      bed.putPod([{ name: 'green' }, { name: 'blue' }])
      const options = { conf, netns: pod.path, args: bed.args() }
      t.match(documentOf(await bed.runPatiently('ADD', options)), { code: Number, msg: /no IP addresses available/ })
      t.same(
        [await pod.interfaces(), leases(bed).length, bed.state().length],
        [[], 2, 1],
        'only the first pod has something',
      )
      t.equal((await bed.run('DEL', first)).code, 0)
      t.same([await pod.interfaces(), leases(bed), bed.state()], [[], [], []])
    })

    t.test('hot-plug and unplug on a pod that runs', async t => {
      const { bed, pod } = await makeBed(t, program)
      bed.putNetwork('green', bridge(bed, 'green', 42))
      bed.putPod([])
      const options = { conf: bed.conf({ delegates: [bridge(bed, 'main', 41)] }), netns: pod.path, args: bed.args() }
      const hot = { ...options, args: bed.args('K8S_POD_NETWORK=green') }
      t.equal((await bed.runPatiently('ADD', options)).code, 0)
      t.match(documentOf(await bed.runPatiently('ADD', hot)), { ips: [{ address: '10.42.0.2/24' }] })
      t.same(await pod.interfaces(), ['eth0 10.41.0.2/24', `${green} 10.42.0.2/24`])
      t.equal((await bed.run('DEL', hot)).code, 0)
      t.same(await pod.interfaces(), ['eth0 10.41.0.2/24'])
      t.equal((await bed.runPatiently('ADD', hot)).code, 0)
      t.equal((await bed.run('DEL', options)).code, 0)
      t.same([await pod.interfaces(), leases(bed), bed.state()], [[], [], []])
    })

    t.test('D1: the namespace is gone: the addresses come back all the same', async t => {
      const { bed, pod } = await makeBed(t, program)
      bed.putNetwork('green', bridge(bed, 'green', 42))
      bed.putPod([{ name: 'green' }])
      const options = { conf: bed.conf({ delegates: [bridge(bed, 'main', 41)] }), netns: pod.path, args: bed.args() }
      t.equal((await bed.runPatiently('ADD', options)).code, 0)
      t.equal(leases(bed).length, 2)
      t.equal((await bed.run('DEL', { ...options, netns: '' })).code, 0)
      t.same([leases(bed), bed.state()], [[], []])
    })

    t.test('one of a chain after another plugin', async t => {
      const { bed, pod } = await makeBed(t, program)
      const prevResult = { cniVersion: '1.0.0', interfaces: [{ name: 'dummy0', sandbox: pod.path }], dns: {} }
      const conf = bed.conf({ delegates: [bridge(bed, 'main', 41)], prevResult })
      const answer = await bed.runPatiently('ADD', { conf, netns: pod.path })
      t.match(documentOf(answer).interfaces, [
        { name: 'br-main' },
        { name: /^veth/ },
        { name: 'eth0' },
        { name: 'dummy0' },
      ])
      t.match(documentOf(answer).ips, [{ interface: 2 }])
      t.equal((await bed.run('DEL', { conf, netns: pod.path })).code, 0)
    })

    t.test('20 pods at once, each with two networks', async t => {
      const { bed } = await makeBed(t, program)
      const pods = await Promise.all(Array.from({ length: 20 }, () => HeldNetns.make(t)))
      bed.putNetwork('green', bridge(bed, 'green', 42))
      bed.putNetwork('blue', bridge(bed, 'blue', 43))
      bed.putPod([{ name: 'green' }, { name: 'blue' }])
      const conf = bed.conf({ delegates: [bridge(bed, 'main', 41)] })
      const all = (command: string) =>
        Promise.all(
          pods.map((pod, index) =>
            bed.runPatiently(command, { conf, netns: pod.path, container: `c${index}`, args: bed.args() }),
          ),
        )
      t.same(
        (await all('ADD')).filter(({ code }) => code !== 0),
        [],
      )
      t.equal(leases(bed).length, 60)
      t.same(
        (await all('DEL')).filter(({ code }) => code !== 0),
        [],
      )
      t.same([leases(bed), bed.state()], [[], []])
      for (const pod of pods) t.same(await pod.interfaces(), [])
    })
  })
}
