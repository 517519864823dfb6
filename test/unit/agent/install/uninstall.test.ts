import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import t from 'tap'
import { applyInstall } from '../../../../agent/install/apply.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import { uninstall } from '../../../../agent/install/uninstall.ts'
import { ContainerLocks } from '../../../../cni/networks/container-locks.ts'
import { recordFiles, recordsFolder } from '../../../../cni/networks/record-folder.ts'
import { filesIn, freshFiles, freshHost, settingsIn } from './host.ts'

t.test('uninstall: all of it, and nothing else', async t => {
  const { root, folder } = await installed(t.testdir(freshHost))
  await writeFile(join(folder, 'opt/cni/bin/kactus.nopal-new'), 'a stray of a kill')
  await writeFile(join(folder, 'etc/cni/net.d/00-kactus.conflist'), 'an early copy')
  const report = await uninstall({ settings: settingsIn(root), force: false })
  t.strictSame(await filesIn(folder), freshFiles)
  t.strictSame(report.kept, [])
  t.equal(report.removed.length, 5)
  t.strictSame(report.notes, ['the default network is cbr0 again'])
})

t.test('uninstall: while containers have records, kactus and its kubeconfig stay', async t => {
  const { root, folder, paths } = await installed(t.testdir(freshHost))
  await mkdir(recordsFolder(paths.stateFolder), { recursive: true })
  await writeFile(recordFiles(paths.stateFolder, 'abc').record, 'not even JSON')
  const report = await uninstall({ settings: settingsIn(root), force: false })
  t.notOk((await filesIn(folder)).includes('etc/cni/net.d/05-kactus.conflist'))
  t.strictSame(report.kept, [paths.kubeconfig, paths.binary])
  t.match(report.notes.at(-1), /1 containers/)
  await rm(recordFiles(paths.stateFolder, 'abc').record)
  t.strictSame((await uninstall({ settings: settingsIn(root), force: false })).kept, [])
  t.strictSame(await filesIn(folder), freshFiles)
})

t.test('uninstall: what kactus is about to attach keeps it too', async t => {
  const { root, paths } = await installed(t.testdir(freshHost))
  // As a run does that a runtime began under our conf.
  const lock = await new ContainerLocks(paths.stateFolder).lock('abc')
  await lock.begin()
  const done = uninstall({ settings: settingsIn(root), force: false })
  await waitUntilGone(paths.conf)
  await mkdir(recordsFolder(paths.stateFolder), { recursive: true })
  await writeFile(recordFiles(paths.stateFolder, 'abc').record, '{}')
  lock.release()
  t.match(await done, { kept: [paths.kubeconfig, paths.binary] })
})

t.test('uninstall: by force', async t => {
  const { root, folder, paths } = await installed(t.testdir(freshHost))
  await mkdir(recordsFolder(paths.stateFolder), { recursive: true })
  await writeFile(recordFiles(paths.stateFolder, 'abc').record, '{}')
  const report = await uninstall({ settings: settingsIn(root), force: true })
  t.strictSame(report.kept, [])
  t.strictSame(await filesIn(folder), [...freshFiles, relative(folder, recordFiles(paths.stateFolder, 'abc').record)])
})

t.test('uninstall: twice, and where nothing ever was', async t => {
  const { root } = await installed(t.testdir(freshHost))
  await uninstall({ settings: settingsIn(root), force: false })
  t.match(await uninstall({ settings: settingsIn(root), force: false }), { removed: [], kept: [] })
  t.match(await uninstall({ settings: settingsIn(join(root, 'nowhere')), force: false }), {
    removed: [],
    kept: [],
  })
})

t.test('uninstall: a node that is left without a network is told of', async t => {
  const { root, folder } = await installed(t.testdir(freshHost))
  await rm(join(folder, 'etc/cni/net.d/10-cbr0.conflist'))
  t.match((await uninstall({ settings: settingsIn(root), force: false })).notes, [/holds no other network/])
})

t.test('uninstall: foreign files beside the kubeconfig stay', async t => {
  const { root, folder, paths } = await installed(t.testdir(freshHost))
  await writeFile(join(paths.kubeconfigFolder, 'mine.txt'), 'x')
  await uninstall({ settings: settingsIn(root), force: false })
  t.strictSame(await filesIn(folder), [
    'etc/cni/net.d/10-cbr0.conflist',
    'etc/cni/net.d/kactus.d/mine.txt',
    'opt/cni/bin/bridge',
  ])
})

t.test('uninstall: a conf that cannot be removed stops it before anything else goes', async t => {
  const { root, folder, paths } = await installed(t.testdir(freshHost))
  await rm(paths.conf)
  await mkdir(join(paths.conf, 'in-the-way'), { recursive: true })
  await t.rejects(uninstall({ settings: settingsIn(root), force: false }), { code: 'CannotRemove' })
  t.ok((await filesIn(folder)).includes('opt/cni/bin/kactus'))
})

async function waitUntilGone(file: string): Promise<void> {
  while (existsSync(file)) await new Promise(resolve => setTimeout(resolve, 5))
  // It goes on to where it must wait for us.
  await new Promise(resolve => setTimeout(resolve, 200))
}

async function installed(root: string) {
  const paths = installPaths(settingsIn(root))
  const actions = [
    { kind: 'copyBinary' },
    { kind: 'writeKubeconfig', text: 'the kubeconfig' },
    { kind: 'writeConf', text: '{"name":"kactus-net","plugins":[{"type":"kactus"}]}', mode: 0o644 },
  ] as const
  await applyInstall(actions, paths, join(root, 'image/kactus'))
  return { root, folder: join(root, 'host'), paths }
}
