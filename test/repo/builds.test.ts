import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bareEnv, callerEnv, runCommand } from '../machine/command.ts'

const root = join(import.meta.dirname, '../..')

/** A path of a script that may build or fetch something. */
const startsBuild = /join\([^()]*'[^']*\b(?:build|cluster|demo|image|setup)\.sh'/

t.test('a test that starts a build gives it all that its own caller gave', async t => {
  const files = await Array.fromAsync(glob('test/**/*.ts', { cwd: root }))
  const texts = await Promise.all(files.map(async file => ({ file, text: await readFile(join(root, file), 'utf8') })))
  const starters = texts.filter(({ text }) => startsBuild.test(text))
  t.ok(starters.length > 2, 'there are some')
  t.same(
    starters.filter(({ text }) => !text.includes('env: callerEnv')).map(({ file }) => file),
    [],
  )
})

t.test('and that is everything: authorities, proxies, settings of npm and Go', async t => {
  const given = {
    NODE_EXTRA_CA_CERTS: '/ca',
    HTTPS_PROXY: 'http://p:1',
    npm_config_registry: 'https://r',
    GOPROXY: 'x',
  }
  const program = `import('${join(root, 'test/machine/command.ts')}')
    .then(({ callerEnv, runCommand }) => runCommand(['env'], { env: callerEnv })).then(text => process.stdout.write(text))`
  const seen = (await runCommand([process.execPath, '-e', program], { env: given })).split('\n')
  t.same(
    Object.entries({ ...bareEnv, ...given }).filter(([name, value]) => !seen.includes(`${name}=${value}`)),
    [],
  )
  t.equal(callerEnv.PATH, process.env.PATH)
})
