import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { forgetKactus, type ReleaseOptions, releaseGone } from '../../../../agent/install/release.ts'
import { ContainerLocks } from '../../../../cni/networks/container-locks.ts'
import { type AttachmentStatus, printRecord } from '../../../../cni/networks/record.ts'
import { recordsFolder } from '../../../../cni/networks/record-folder.ts'
import type { ConfList } from '../../../../cni/spec/conf.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import type { PluginCall } from '../../../../cni/spec/plugin.ts'
import { filesIn } from './host.ts'

interface Host {
  readonly folder: string
  readonly calls: readonly string[]
  readonly options: ReleaseOptions
}

interface HostWish {
  readonly netns: string
  /** Names below the folder of sandboxes; undefined = it is not mounted. */
  readonly sandboxes: readonly string[] | undefined
  readonly fails?: boolean
  readonly status?: AttachmentStatus
}

const container = 'c0ffee'
const files = {
  record: `cni/kactus/records/${container}.json`,
  result: `cni/results/kactus-net-${container}-eth0`,
}

async function hostWith(folder: string, wish: HostWish): Promise<Host> {
  const paths = {
    stateFolder: join(folder, 'cni/kactus'),
    cniState: join(folder, 'cni'),
    sandboxFolder: join(folder, 'netns'),
  }
  for (const each of [recordsFolder(paths.stateFolder), join(folder, 'cni/results')]) {
    await mkdir(each, { recursive: true })
  }
  if (wish.sandboxes !== undefined) await mkdir(paths.sandboxFolder)
  for (const name of wish.sandboxes ?? []) await writeFile(join(paths.sandboxFolder, name), '')
  await writeFile(join(folder, files.record), recordText(wish))
  await writeFile(join(folder, files.result), '{}')
  const calls: string[] = []
  const runner = {
    find: async (type: string) => type,
    async run({ command, config, variables }: PluginCall) {
      calls.push(`${command} ${String(config.name)} ${variables.CNI_IFNAME} "${variables.CNI_NETNS}"`)
      if (wish.fails === true) throw new CniError(11, 'try again later')
      return undefined
    },
  }
  return { folder, calls, options: { paths, runner } }
}

function recordText({ netns, status = 'added' }: HostWish): string {
  const common = {
    conf: 'kactus-net',
    owner: 'eth0',
    mac: undefined,
    args: '',
    capabilityArgs: {},
    result: undefined,
    refusal: undefined,
  }
  const attachments = [
    { ...common, network: undefined, ifname: 'eth0', isPrimary: true, list: listOf('cbr0'), status: 'added' as const },
    { ...common, network: 'default/green', ifname: 'net1', isPrimary: false, list: listOf('green'), status },
    { ...common, network: 'default/blue', ifname: 'net2', isPrimary: false, list: listOf('blue'), status },
  ]
  return printRecord({ containerId: container, netns, pod: undefined, attachments })
}

const listOf = (name: string): ConfList => ({
  name,
  cniVersion: '1.0.0',
  disableCheck: false,
  disableGC: false,
  plugins: [{ type: 'bridge' }],
})

interface Case extends HostWish {
  readonly name: string
  readonly calls: readonly string[]
  /** Whether record and result are gone after it. */
  readonly gone: boolean
}

const both = ['DEL blue net2 ""', 'DEL green net1 ""']
const nothing = { calls: [], gone: false } as const

const cases: readonly Case[] = [
  { name: 'a sandbox that is gone', netns: '/var/run/netns/a', sandboxes: ['b'], calls: both, gone: true },
  { name: 'by its other path', netns: '/run/netns/a', sandboxes: [], calls: both, gone: true },
  {
    name: 'networks that were never begun',
    netns: '/run/netns/a',
    sandboxes: [],
    status: 'planned',
    calls: [],
    gone: true,
  },
  { name: 'a sandbox that is there', netns: '/var/run/netns/a', sandboxes: ['a'], ...nothing },
  { name: 'sandboxes that cannot be seen', netns: '/var/run/netns/a', sandboxes: undefined, ...nothing },
  { name: "a process's sandbox", netns: '/proc/7/ns/net', sandboxes: [], ...nothing },
  { name: 'a path that only looks like a sandbox', netns: '/run/netns/a/../b', sandboxes: [], ...nothing },
  { name: 'no path', netns: '', sandboxes: [], ...nothing },
  {
    name: 'a plugin that fails',
    netns: '/run/netns/a',
    sandboxes: [],
    fails: true,
    calls: both.slice(0, 1),
    gone: false,
  },
]

for (const { name, calls, gone, ...wish } of cases) {
  t.test(`giving back what a container has left: ${name}`, async t => {
    const host = await hostWith(t.testdir({}), wish)
    const notes = await releaseGone(host.options)
    t.same(host.calls, calls)
    const left = (await filesIn(host.folder)).filter(file => file.startsWith('cni/') && !file.includes('/locks/'))
    t.same(left, gone ? [] : [files.record, files.result])
    t.match(notes, wish.fails === true ? [/c0ffee is gone, but not its networks: .*try again later/] : [])
  })
}

t.test(
  'giving back: a container that kactus works on is left to it, and what kactus has changed meanwhile counts',
  async t => {
    const host = await hostWith(t.testdir({}), { netns: '/run/netns/a', sandboxes: [] })
    const lock = await new ContainerLocks(host.options.paths.stateFolder).lock(container)
    t.same(await releaseGone(host.options), [])
    t.same(host.calls, [])
    lock.release()
    t.same(await releaseGone(host.options), [])
    t.same(host.calls, both)
  },
)

t.test('giving back: a record that cannot be read is left for a person', async t => {
  const host = await hostWith(t.testdir({}), { netns: '/run/netns/a', sandboxes: [] })
  await writeFile(join(host.folder, files.record), 'not even JSON')
  t.same(await releaseGone(host.options), [])
  await rm(join(host.folder, 'cni/kactus'), { recursive: true })
  t.same(await releaseGone(host.options), [], 'nor is one where there are none')
})

t.test('a runtime forgets that kactus attached what still runs: no plugin is called, the record stays', async t => {
  const { folder, calls, options } = await hostWith(t.testdir({}), { netns: '/run/netns/a', sandboxes: ['a'] })
  const others = join(folder, 'cni/results/cbr0-c0ffee-eth0')
  await writeFile(others, '{}')
  await forgetKactus(options.paths)
  t.same((await filesIn(join(folder, 'cni'))).toSorted(), ['kactus/records/c0ffee.json', 'results/cbr0-c0ffee-eth0'])
  t.same(calls, [])
})
