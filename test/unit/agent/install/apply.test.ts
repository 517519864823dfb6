import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { applyInstall } from '../../../../agent/install/apply.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import type { Action } from '../../../../agent/install/plan.ts'
import { filesIn, freshFiles, freshHost, installedFiles, settingsIn } from './host.ts'

const all: readonly Action[] = [
  { kind: 'copyBinary' },
  { kind: 'writeKubeconfig', text: 'the kubeconfig' },
  { kind: 'writeConf', text: 'the conf', mode: 0o644 },
]

t.test('apply: everything in place, private where it must be', async t => {
  const { folder, paths, source } = host(t.testdir(freshHost))
  await applyInstall(all, paths, source)
  t.strictSame(await filesIn(folder), installedFiles)
  t.equal(await readFile(paths.binary, 'utf8'), 'the executable')
  t.equal(await readFile(paths.kubeconfig, 'utf8'), 'the kubeconfig')
  t.equal(await modeOf(paths.binary), 0o755)
  t.equal(await modeOf(paths.kubeconfig), 0o600)
  t.equal(await modeOf(paths.kubeconfigFolder), 0o700)
  t.equal(await modeOf(paths.conf), 0o644)
})

t.test('apply: a folder that was open to others is closed, a stray of a kill is taken over', async t => {
  const { folder, paths, source } = host(t.testdir(freshHost))
  await mkdir(paths.kubeconfigFolder, { mode: 0o755 })
  await chmod(paths.kubeconfigFolder, 0o755)
  for (const path of [paths.binary, paths.conf]) await writeFile(`${path}.nopal-new`, 'half of someth')
  await writeFile(`${paths.kubeconfig}.nopal-new`, 'half of someth', { mode: 0o644 })
  await applyInstall(all, paths, source)
  t.strictSame(await filesIn(folder), installedFiles)
  t.equal(await modeOf(paths.kubeconfigFolder), 0o700)
  t.equal(await modeOf(paths.kubeconfig), 0o600)
})

interface FailureCase {
  readonly name: string
  /** Breaks the host before the installation. */
  break(paths: ReturnType<typeof installPaths>, source: string): Promise<unknown>
  readonly error: object
}

/** A folder where a file should be: nobody can write there, not even root. */
const block = (path: string) => mkdir(join(path, 'in-the-way'), { recursive: true })

const failures: readonly FailureCase[] = [
  { name: 'no executable to copy', break: (_, source) => rm(source), error: { code: 'BinaryMissing' } },
  {
    name: 'the executable cannot be written',
    break: paths => block(paths.binary),
    error: { code: 'CannotWrite', message: /kactus cannot be written/ },
  },
  {
    name: 'the temporary executable cannot be written',
    break: paths => block(`${paths.binary}.nopal-new`),
    error: { code: 'CannotWrite' },
  },
  {
    name: 'the kubeconfig cannot be written',
    break: paths => block(paths.kubeconfig),
    error: { code: 'CannotWrite', message: /kubeconfig\.yaml/ },
  },
  {
    name: 'the kubeconfig folder is a file',
    break: paths => writeFile(paths.kubeconfigFolder, ''),
    error: { code: 'CannotWrite' },
  },
  {
    name: 'the conf cannot be written',
    break: paths => block(paths.conf),
    error: { code: 'CannotWrite', message: /05-kactus/ },
  },
  {
    name: 'the temporary conf cannot be written',
    break: paths => block(`${paths.conf}.nopal-new`),
    error: { code: 'CannotWrite' },
  },
]

for (const each of failures) {
  t.test(`apply: nothing is left half done: ${each.name}`, async t => {
    const { folder, paths, source } = host(t.testdir(freshHost))
    await each.break(paths, source)
    const before = await filesIn(folder)
    await t.rejects(applyInstall(all, paths, source), { name: 'InstallError', ...each.error })
    t.strictSame(await filesIn(folder), before)
    t.ok(freshFiles.every(file => before.includes(file)))
  })
}

t.test('apply: an update that fails leaves the installation whole', async t => {
  const { folder, paths, source } = host(t.testdir(freshHost))
  await applyInstall(all, paths, source)
  await writeFile(source, 'a newer executable')
  await block(`${paths.conf}.nopal-new`)
  await t.rejects(applyInstall(all, paths, source), { code: 'CannotWrite' })
  await rm(`${paths.conf}.nopal-new`, { recursive: true })
  t.strictSame(await filesIn(folder), installedFiles)
  t.equal(await readFile(paths.binary, 'utf8'), 'a newer executable')
  t.equal(await readFile(paths.conf, 'utf8'), 'the conf')
})

function host(testdir: string) {
  return {
    folder: join(testdir, 'host'),
    paths: installPaths(settingsIn(testdir)),
    source: join(testdir, 'image/kactus'),
  }
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}
