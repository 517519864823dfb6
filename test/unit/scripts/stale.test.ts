import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../../..')

/** One file of each kind that goes into a program, and of each kind that does not. */
const goesIn = ['agent/main.ts', 'cni/kactus/main.ts', 'build.sh', 'package.json', 'package-lock.json', 'tsconfig.json']
const buildScripts = readdirSync(join(root, 'scripts'))
  .filter(name => name.endsWith('.ts'))
  .map(name => `scripts/${name}`)
const staysOut = ['README.md', 'test/repo/readme.test.ts', 'scripts/test.sh', 'daemonset/daemonset.yaml']

/** Whether the program made at second 100 is stale in a checkout where everything is older, one file aside. */
function isStale(folder: string, changed: string | undefined, made = ['dist/kactus']): number | null {
  const folders = ['agent', 'cni', 'cni/kactus', 'scripts']
  for (const file of [...folders, ...goesIn, ...buildScripts, ...staysOut]) utimesSync(join(folder, file), 50, 50)
  for (const file of ['dist/kactus', 'dist/nopal.js']) utimesSync(join(folder, file), 100, 100)
  if (changed !== undefined) utimesSync(join(folder, changed), 150, 150)
  return spawnSync(join(folder, 'scripts/stale.sh'), made).status
}

t.test('a program is stale when anything that goes into it has changed since, every build script included', async t => {
  const folder = t.testdir({ dist: { kactus: '', 'nopal.js': '' } })
  for (const file of [...goesIn, ...buildScripts, ...staysOut, 'scripts/stale.sh']) {
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
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
