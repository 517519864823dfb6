import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
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
  },
  {
    name: 'a meta plugin around ours',
    files: { '00-multus.conf': around, '10-cbr0.conflist': bridge },
    kind: 'found',
    file: '10-cbr0.conflist',
  },
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
    const network = await findDefaultNetwork(folder)
    t.equal(network.kind, each.kind)
    t.equal(network.kind === 'none' ? undefined : network.path, each.file && join(folder, each.file))
  })
}

t.test('default network: no folder', async t => {
  t.strictSame(await findDefaultNetwork(join(t.testdir(), 'missing')), { kind: 'none' })
})

t.test('default network: a link to nowhere', async t => {
  const folder = t.testdir()
  await symlink('/nonexistent/conf', join(folder, '10-x.conf'))
  t.equal((await findDefaultNetwork(folder)).kind, 'unreadable')
})

t.test('observe: a kubeconfig that others may read counts as missing', async t => {
  const paths = installPaths(settingsIn(t.testdir()))
  await mkdir(paths.kubeconfigFolder, { recursive: true })
  await writeFile(paths.kubeconfig, 'text', { mode: 0o600 })
  t.match(await observeFiles(paths), { conf: undefined, kubeconfig: 'text' })
  await chmod(paths.kubeconfig, 0o644)
  t.equal((await observeFiles(paths)).kubeconfig, undefined)
})
