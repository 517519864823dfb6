import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { findKubeAssets } from '../cluster/assets.ts'
import { collect, type Output } from '../machine/command.ts'
import { KactusBed, programs } from './kactus-bed.ts'
import { HeldNetns } from './kactus-netns.ts'

// The CNI project's own runtime library calls kactus, by its own tool, and reference plugins of the same version of the
// specification stand below kactus and behind it in the chain.

const green = 'net9f27410725ab'
const podArgs = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p1;K8S_POD_UID=u1'
const names = ['cnitool', 'libcni-gc', 'bridge', 'host-local', 'tuning']

/** What a runtime is: a cache of what it has attached. Two of them know nothing of each other. */
type Runtime = 'first' | 'second'

class ToolBed {
  readonly bed: KactusBed
  readonly #host: HeldNetns
  readonly #tools: string

  private constructor(bed: KactusBed, host: HeldNetns, tools: string) {
    this.bed = bed
    this.#host = host
    this.#tools = tools
  }

  static async make(t: Test, program: string): Promise<ToolBed> {
    const tools = await findKubeAssets(names)
    const bed = await KactusBed.make(t, program)
    for (const name of ['bridge', 'host-local', 'tuning']) await symlink(join(tools, name), join(bed.bin, name))
    await symlink(program, join(bed.bin, 'kactus'))
    bed.putNetwork('green', bridgeTo(bed, 'green', 42))
    bed.putPod([{ name: 'green' }])
    for (const folder of ['conf', 'first', 'second']) await mkdir(join(bed.folder, folder))
    await writeFile(join(bed.folder, 'conf/10-tool.conflist'), JSON.stringify(chainOf(bed)))
    return new ToolBed(bed, await HeldNetns.make(t), tools)
  }

  /** A new pod that cnitool has attached. */
  async attach(t: Test, runtime: Runtime): Promise<HeldNetns> {
    const pod = await HeldNetns.make(t)
    for (;;) {
      const { code, stderr } = await this.tool('add', pod, runtime)
      if (code === 0) return pod
      // The agent lives in this process, which may be too busy to answer in time; a runtime comes back, too.
      if (!stderr.includes('no way to the Kubernetes API')) throw new Error(stderr)
    }
  }

  tool(verb: string, pod: HeldNetns, runtime: Runtime = 'first'): Promise<Output> {
    return this.run(runtime, 'cnitool', verb, 'tool', pod.path)
  }

  /** libcni keeps its cache in a fixed folder of the host, so it gets one of its own. */
  run(runtime: Runtime, program: string, ...args: readonly string[]): Promise<Output> {
    const { bin, folder } = this.bed
    const hidden = ['unshare', '--mount', '--', 'sh', '-ec', 'mount --bind "$0" /var/lib; exec "$@"']
    const argv = [...this.#host.prefix, ...hidden, join(folder, runtime), join(this.#tools, program), ...args]
    const own = { CNI_PATH: bin, NETCONFPATH: join(folder, 'conf'), CNI_ARGS: podArgs }
    return collect(argv, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...own } })
  }

  /** The addresses that host-local has given out: network and address. */
  leases(): readonly string[] {
    const folder = join(this.bed.folder, 'ipam')
    if (!existsSync(folder)) return []
    return (readdirSync(folder, { recursive: true }) as string[]).filter(name => /\/[\d.]+$/.test(name)).toSorted()
  }

  /** By container. */
  records(): readonly string[] {
    return this.bed.state()
  }
}

const bridgeTo = (bed: KactusBed, name: string, net: number) => ({
  cniVersion: '1.1.0',
  type: 'bridge',
  name,
  bridge: `br-${name}`,
  // So that the bridge keeps its own MAC address whoever comes and goes: CHECK compares it.
  isGateway: true,
  ipam: { type: 'host-local', subnet: `10.${net}.0.0/24`, dataDir: join(bed.folder, 'ipam') },
})

function chainOf(bed: KactusBed): object {
  const { cniVersion: _, name: __, ...kactus } = bed.conf({ delegates: [bridgeTo(bed, 'main', 41)] })
  const tuning = { type: 'tuning', mtu: 1400, dataDir: join(bed.folder, 'tuning') }
  return { cniVersion: '1.1.0', name: 'tool', plugins: [kactus, tuning] }
}

/** cnitool names the container after the path of its namespace. */
function containerOf(pod: HeldNetns): string {
  return `cnitool-${createHash('sha512').update(pod.path).digest('hex').slice(0, 20)}`
}

const attached = (at: number) => [`eth0 10.41.0.${at}/24`, `${green} 10.42.0.${at}/24`]
const nothing = { interfaces: [], leases: [], records: [] }

async function standing(tools: ToolBed, pod: HeldNetns): Promise<object> {
  return { interfaces: await pod.interfaces(), leases: tools.leases(), records: tools.records() }
}

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('cnitool: status, add, check and del', async t => {
      const tools = await ToolBed.make(t, program)
      const before = await HeldNetns.make(t)
      t.match(await tools.tool('status', before), { code: 0, stderr: '' })
      const pod = await tools.attach(t, 'first')
      t.same(await pod.interfaces(), attached(2))
      t.match(await pod.run(['ip', 'link', 'show', 'eth0']), 'mtu 1400', 'the plugin behind kactus has had its turn')
      t.same(tools.leases(), ['green/10.42.0.2', 'main/10.41.0.2'])
      t.equal(tools.records().length, 1)

      t.match(await tools.tool('check', pod), { code: 0, stderr: '' })
      await pod.run(['ip', 'link', 'set', 'eth0', 'mtu', '1300'])
      t.match(await tools.tool('check', pod), { code: 1, stderr: /1300/ }, 'what the plugin behind kactus sees is said')
      await pod.run(['ip', 'link', 'set', 'eth0', 'mtu', '1400'])
      await pod.run(['ip', 'addr', 'flush', 'dev', green])
      t.match(await tools.tool('check', pod), { code: 1, stderr: /10\.42\.0\.2/ }, 'and what one below it sees')

      await rename(join(tools.bed.bin, 'bridge'), join(tools.bed.bin, 'elsewhere'))
      t.match(await tools.tool('status', pod), { code: 1, stderr: /bridge/ }, 'status names what is missing')
      await rename(join(tools.bed.bin, 'elsewhere'), join(tools.bed.bin, 'bridge'))
      t.match(await tools.tool('del', pod), { code: 0, stderr: '' })
      t.same(await standing(tools, pod), nothing)
      t.match(await tools.tool('del', pod), { code: 0, stderr: '' }, 'again')
    })

    t.test("cnitool's gc takes all of its own attachments, and no other runtime's", async t => {
      const tools = await ToolBed.make(t, program)
      const [other, stale] = [await tools.attach(t, 'second'), await tools.attach(t, 'first')]
      t.equal(tools.records().length, 2)
      t.match(await tools.tool('gc', stale), { code: 0, stderr: '' })
      t.same(await stale.interfaces(), [])
      t.same(await other.interfaces(), attached(2))
      t.same(tools.leases(), ['green/10.42.0.2', 'main/10.41.0.2'])
      t.equal(tools.records().length, 1)
      t.match(await tools.tool('check', other, 'second'), { code: 0, stderr: '' })
    })

    t.test('gc with a list, as a runtime calls it: a stale attachment goes, the valid one stays', async t => {
      const tools = await ToolBed.make(t, program)
      const valid = await tools.attach(t, 'second')
      await t.test('a pod ends without a DEL, and its namespace with it', async t => {
        t.same(await (await tools.attach(t, 'second')).interfaces(), attached(3))
      })
      const [record = ''] = tools.records().filter(name => name.includes(containerOf(valid)))
      t.equal(tools.records().length, 2)
      // Another runtime's cache knows neither: kactus alone finds what is stale.
      const answer = await tools.run('first', 'libcni-gc', 'tool', `${containerOf(valid)}/eth0`)
      t.match(answer, { code: 0, stderr: '' })
      t.same(tools.records(), [record])
      t.same(await valid.interfaces(), attached(2))
      t.same(
        tools.leases(),
        ['green/10.42.0.2', 'main/10.41.0.2'],
        'host-local knows the valid ones by their interface',
      )
      t.match(await tools.tool('check', valid, 'second'), { code: 0, stderr: '' })
      t.match(await tools.tool('del', valid, 'second'), { code: 0, stderr: '' })
      t.same(await standing(tools, valid), nothing)
    })
  })
}
