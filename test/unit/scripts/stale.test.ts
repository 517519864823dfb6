import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { callerEnv } from '../../machine/command.ts'

const root = join(import.meta.dirname, '../../..')

/** One file of each kind that goes into a program, and of each kind that does not. */
const goesIn = ['agent/main.ts', 'cni/kactus/main.ts', 'build.sh', 'package.json', 'package-lock.json', 'tsconfig.json']
const buildScripts = readdirSync(join(root, 'scripts'))
  .filter(name => name.endsWith('.ts'))
  .map(name => `scripts/${name}`)
const staysOut = ['README.md', 'test/repo/readme.test.ts', 'scripts/test.sh', 'daemonset/daemonset.yaml']

/** A checkout with programs in dist/. */
function checkOut(t: Test): string {
  const folder = t.testdir({ dist: { kactus: '', 'nopal.js': '' } })
  for (const file of [...goesIn, ...buildScripts, ...staysOut, 'scripts/stale.sh', 'scripts/image.sh'])
    cpSync(join(root, file), join(folder, file), { recursive: true })
  return folder
}

/** Everything is from before the programs were made, at second 100, one file aside. */
function setTimes(folder: string, changed: string | undefined): void {
  const folders = ['agent', 'cni', 'cni/kactus', 'scripts']
  for (const file of [...folders, ...goesIn, ...buildScripts, ...staysOut]) utimesSync(join(folder, file), 50, 50)
  for (const file of ['dist/kactus', 'dist/nopal.js']) utimesSync(join(folder, file), 100, 100)
  if (changed !== undefined) utimesSync(join(folder, changed), 150, 150)
}

/** Whether the program is stale in a checkout where that file has changed since. */
function isStale(folder: string, changed: string | undefined, made = ['dist/kactus']): number | null {
  setTimes(folder, changed)
  return spawnSync(join(folder, 'scripts/stale.sh'), made).status
}

t.test('a program is stale when anything that goes into it has changed since, every build script included', async t => {
  const folder = checkOut(t)
  t.equal(isStale(folder, undefined), 1)
  t.equal(isStale(folder, undefined, ['dist/nopal.js', 'dist/none']), 0, 'one that is missing')
  const changes = [...goesIn, ...buildScripts]
  t.ok(buildScripts.includes('scripts/build.ts') && buildScripts.includes('scripts/pack-bun.ts'))
  t.same(
    changes.filter(file => isStale(folder, file) !== 0),
    [],
  )
  t.same(
    staysOut.filter(file => isStale(folder, file) !== 1),
    [],
  )
})

/** What the stand-ins for the build and for Node say on a run of scripts/image.sh, in order. */
function buildImage(folder: string, cache: string, changed: string | undefined): readonly string[] {
  setTimes(folder, changed)
  const words = [`XDG_CACHE_HOME=${cache}`, join(folder, 'scripts/image.sh')]
  const { status, stdout, stderr } = spawnSync('env', words, { env: callerEnv, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return `${stderr}${stdout}`.trim().split('\n')
}

t.test('the image is made of programs that are built anew when any build script has changed', async t => {
  const folder = checkOut(t)
  const cache = join(folder, 'cache')
  for (const arch of ['amd64', 'arm64']) put(join(cache, `nopal/image-system-${arch}/usr/sbin/nft`), '')
  put(join(folder, 'build.sh'), '#!/bin/sh\necho "build $1"\n')
  put(join(folder, 'node_modules/.bin/node'), '#!/bin/sh\necho "node $1"\n')
  const [built, packed] = ['build --arch', 'node scripts/nopal-image.ts']
  t.same(buildImage(folder, cache, undefined), [packed])
  t.same(
    buildScripts.filter(script => String(buildImage(folder, cache, script)) !== String([built, packed])),
    [],
  )
})

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o755 })
}
