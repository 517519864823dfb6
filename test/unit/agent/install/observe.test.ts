import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findDefaultNetwork, observeFiles } from '../../../../agent/install/observe.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import { settingsIn } from './host.ts'

const bridge = '{"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"bridge"}]}'
const ours = '{"cniVersion":"1.0.0","name":"kactus-net","plugins":[{"type":"kactus","delegates":[]}]}'
const around = '{"name":"multus","type":"multus","delegates":[{"type":"kactus"}]}'

interface FindCase {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly kind: 'found' | 'none' | 'unreadable'
  readonly file?: string
  readonly passedOver?: readonly string[]
  /** What runtimes would take first, where that is another. */
  readonly first?: string
}

const cases: readonly FindCase[] = [
  { name: 'an empty folder', files: {}, kind: 'none' },
  { name: 'one network', files: { '10-cbr0.conflist': bridge }, kind: 'found', file: '10-cbr0.conflist' },
  {
    name: 'the first by name',
    files: { '20-b.conf': '{"name":"b","type":"b"}', '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
  },
  {
    name: 'ours is passed over',
    files: { '05-kactus.conflist': ours, '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
  },
  { name: 'ours alone', files: { '05-kactus.conflist': ours }, kind: 'none' },
  {
    name: 'ours spoiled',
    files: { '05-kactus.conflist': '{', '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
  },
  {
    name: 'ours under another name',
    files: { '01-mine.conflist': ours, '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
    passedOver: ['01-mine.conflist leads back to kactus and is not wrapped'],
  },
  {
    name: 'a meta plugin around ours',
    files: { '00-multus.conf': around, '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
    passedOver: ['00-multus.conf leads back to kactus and is not wrapped'],
  },
  {
    name: 'a meta plugin that refers to ours, alone',
    files: {
      '00-multus.conf': '{"name":"m","type":"multus","clusterNetwork":"/host/etc/cni/net.d/05-kactus.conflist"}',
    },
    kind: 'none',
    passedOver: ['00-multus.conf leads back to kactus and is not wrapped'],
  },
  {
    name: 'a list that no runtime takes does not become the network',
    files: { '100-crio-bridge.conf': bridge },
    kind: 'none',
    passedOver: [
      '100-crio-bridge.conf is no configuration to any runtime: it holds a list, but is not named .conflist',
    ],
  },
  {
    name: 'nor does it keep the next from being it',
    files: { '05-single.conflist': '{"name":"b","type":"b"}', '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
    passedOver: ['05-single.conflist is no configuration to any runtime: it is named .conflist and has no "plugins"'],
  },
  {
    name: 'loopback is no default network, though runtimes take it',
    files: { '00-loopback.conf': '{"name":"lo","type":"loopback"}', '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
    first: '00-loopback.conf',
  },
  { name: 'loopback alone', files: { '99-loopback.conf': '{"name":"lo","type":"loopback"}' }, kind: 'none' },
  {
    name: 'other files',
    files: { 'README.md': 'x', '10-cbr0.conflist.bak': '{', '.hidden': '{', '10-cbr0.conflist.nopal-new': '{' },
    kind: 'none',
  },
  {
    name: 'half a file',
    files: { '10-cbr0.conflist': bridge.slice(0, 30), '20-b.conf': '{"name":"b","type":"b"}' },
    kind: 'unreadable',
    file: '10-cbr0.conflist',
  },
  { name: 'an empty file', files: { '10-cbr0.conflist': '' }, kind: 'unreadable', file: '10-cbr0.conflist' },
  {
    name: 'a plugin that is a path',
    files: { '10-cbr0.conf': '{"name":"n","type":"../bridge"}' },
    kind: 'unreadable',
    file: '10-cbr0.conf',
  },
  {
    name: 'junk behind a good one',
    files: { '10-cbr0.conflist': bridge, '20-b.conf': '{' },
    kind: 'found',
    file: '10-cbr0.conflist',
  },
]

for (const each of cases) {
  t.test(`default network: ${each.name}`, async t => {
    const folder = t.testdir({ ...each.files })
    const { defaultNetwork: network, passedOver } = await find(folder)
    t.equal(network.kind, each.kind)
    t.equal(network.kind === 'none' ? undefined : network.path, each.file && join(folder, each.file))
    t.strictSame(passedOver, each.passedOver ?? [])
    if (network.kind === 'found') t.equal(network.first, each.first ?? each.file)
  })
}

t.test('default network: no folder', async t => {
  t.strictSame(await find(join(t.testdir(), 'missing')), { defaultNetwork: { kind: 'none' }, passedOver: [] })
})

t.test("default network: a link of the host is followed from the host's root", async t => {
  const host = t.testdir({ 'net.d': {}, store: { 'cbr0.conflist': bridge } })
  await symlink('/store/cbr0.conflist', join(host, 'net.d/10-x.conflist'))
  await symlink('/nonexistent/conf', join(host, 'net.d/05-y.conflist'))
  t.match(await find(join(host, 'net.d'), host), { defaultNetwork: { kind: 'found', list: { name: 'cbr0' } } })
  t.match(await find(join(host, 'net.d')), { defaultNetwork: { kind: 'none' } })
})

interface ModeCase {
  readonly name: string
  readonly conf: number
  /** Of a plugin in a folder of its own. */
  readonly plugin: number
  readonly want: number
}

const modes: readonly ModeCase[] = [
  { name: 'for everybody', conf: 0o644, plugin: 0o644, want: 0o644 },
  { name: 'what may be run or written besides', conf: 0o777, plugin: 0o664, want: 0o644 },
  { name: 'for the group', conf: 0o640, plugin: 0o644, want: 0o640 },
  { name: 'for the owner', conf: 0o600, plugin: 0o644, want: 0o600 },
  { name: 'a further plugin for the owner', conf: 0o644, plugin: 0o400, want: 0o600 },
]

for (const { name, conf, plugin, want } of modes) {
  t.test(`default network: who may read it may read ours: ${name}`, async t => {
    const folder = t.testdir({ '10-cbr0.conflist': bridge, cbr0: { 'more.conf': '{"type":"tuning"}' } })
    await chmod(join(folder, '10-cbr0.conflist'), conf)
    await chmod(join(folder, 'cbr0/more.conf'), plugin)
    const { defaultNetwork: network } = await find(folder)
    t.equal(network.kind === 'found' && network.mode, want)
  })
}

t.test("default network: another group's file is not open to ours", async t => {
  const folder = t.testdir({ '10-cbr0.conflist': bridge })
  const file = join(folder, '10-cbr0.conflist')
  await chmod(file, 0o640)
  await chown(file, 0, 12_345)
  const { defaultNetwork: network } = await find(folder)
  t.equal(network.kind === 'found' && network.mode, 0o600)
})

t.test('observe: a kubeconfig that others may read counts as missing', async t => {
  const settings = settingsIn(t.testdir())
  const paths = installPaths(settings)
  await mkdir(paths.kubeconfigFolder, { recursive: true })
  await writeFile(paths.kubeconfig, 'text', { mode: 0o600 })
  t.match(await observeFiles({ paths, settings }), { conf: undefined, kubeconfig: 'text' })
  await chmod(paths.kubeconfig, 0o644)
  t.equal((await observeFiles({ paths, settings })).kubeconfig, undefined)
})

t.test('observe: our conf, and who may read it', async t => {
  const settings = settingsIn(t.testdir())
  const paths = installPaths(settings)
  await mkdir(paths.confFolder, { recursive: true })
  await writeFile(paths.conf, ours, { mode: 0o600 })
  t.match(await observeFiles({ paths, settings }), { conf: { text: ours, mode: 0o600 }, earlyConf: undefined })
})

function find(folder: string, hostRoot = '') {
  const paths = { ...installPaths(settingsIn(folder)), confFolder: folder }
  return findDefaultNetwork({ paths, settings: { cniConfDir: '/etc/cni/net.d', hostRoot } })
}
