import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findPlugin, pluginFolders } from '../../../../cni/spec/plugin.ts'

interface FoldersCase {
  readonly name: string
  readonly path: string
  readonly want: readonly string[]
}

const foldersCases: readonly FoldersCase[] = [
  { name: 'one', path: '/opt/cni/bin', want: ['/opt/cni/bin'] },
  { name: 'two, from left to right', path: '/b:/a', want: ['/b', '/a'] },
  { name: 'nothing', path: '', want: [] },
  { name: 'relative ones do not count', path: 'bin:./x:../y:/a:', want: ['/a'] },
]

for (const { name, path, want } of foldersCases) {
  t.test(`folders: ${name}`, async t => {
    t.strictSame(pluginFolders(path), want)
  })
}

t.test('the first regular file of the name is taken', async t => {
  const root = t.testdir({ a: { other: '' }, b: { bridge: '' }, c: { bridge: '' }, d: { real: '' } })
  await mkdir(join(root, 'a/bridge'))
  const folders = ['missing', 'a', 'b', 'c'].map(name => join(root, name))
  t.equal(await findPlugin('bridge', folders), join(root, 'b/bridge'), 'a folder of that name is no plugin')
  t.equal(await findPlugin('other', folders), join(root, 'a/other'))
  t.equal(await findPlugin('macvlan', folders), undefined)
  t.equal(await findPlugin('bridge', []), undefined)
})

t.test('a link counts as what it leads to', async t => {
  const root = t.testdir({ bin: {}, elsewhere: {} })
  await writeFile(join(root, 'elsewhere/real'), '')
  await symlink(join(root, 'elsewhere/real'), join(root, 'bin/linked'))
  await symlink(join(root, 'elsewhere/none'), join(root, 'bin/dangling'))
  t.equal(await findPlugin('linked', [join(root, 'bin')]), join(root, 'bin/linked'))
  t.equal(await findPlugin('dangling', [join(root, 'bin')]), undefined)
})
