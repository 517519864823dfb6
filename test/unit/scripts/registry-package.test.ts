import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { makePki } from '../../cluster/pki.ts'
import { runCommand } from '../../machine/command.ts'

const script = join(import.meta.dirname, '../../../scripts/registry-package.ts')

/** A registry on loopback that a private authority vouches for, with package `tiny` 1.0.0, and a checkout that pins it. */
interface Stage {
  readonly checkout: string
  readonly cache: string
  readonly env: Readonly<Record<string, string>>
  readonly caFile: string
}

function digestOf(bytes: Buffer, algorithm: string, encoding: 'base64' | 'hex'): string {
  return createHash(algorithm).update(bytes).digest(encoding)
}

async function makeTarball(folder: string): Promise<Buffer> {
  mkdirSync(join(folder, 'package'))
  writeFileSync(join(folder, 'package/package.json'), '{ "name": "tiny", "version": "1.0.0" }')
  await runCommand(['tar', '-czf', join(folder, 'tiny.tgz'), '-C', folder, 'package'])
  return readFileSync(join(folder, 'tiny.tgz'))
}

/** @param pinned what package-lock.json says of the package's bytes, if not the truth */
async function setStage(t: Test, pinned?: string): Promise<Stage> {
  const folder = t.testdir({ tarball: {}, keys: {}, checkout: { scripts: {}, node_modules: {} }, cache: {}, home: {} })
  const pki = await makePki(join(folder, 'keys'), ['localhost'])
  const tarball = await makeTarball(join(folder, 'tarball'))
  const integrity = `sha512-${digestOf(tarball, 'sha512', 'base64')}`
  const credentials = { cert: readFileSync(pki.server.certFile), key: readFileSync(pki.server.keyFile) }
  const server = createServer(credentials, (request, response) => {
    if (request.url === '/tiny.tgz') return void response.end(tarball)
    const dist = { tarball: `${url}/tiny.tgz`, integrity, shasum: digestOf(tarball, 'sha1', 'hex') }
    const versions = { '1.0.0': { name: 'tiny', version: '1.0.0', dist } }
    response.end(JSON.stringify({ name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions }))
  }).listen(0, 'localhost')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const checkout = join(folder, 'checkout')
  copyFileSync(script, join(checkout, 'scripts/registry-package.ts'))
  const packages = { 'node_modules/tiny': { version: '1.0.0', integrity: pinned ?? integrity } }
  writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify({ packages }))
  const own = { HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache'), npm_config_registry: url }
  const env = { PATH: process.env.PATH ?? '', npm_config_fetch_retries: '0', ...own }
  return { checkout, cache: join(folder, 'cache/nopal/packages'), env, caFile: pki.ca.certFile }
}

/** Asks the checkout's script for the package, in a process with an environment of its own. */
async function find({ checkout, env }: Stage, more: Readonly<Record<string, string>>) {
  const program = `import('${checkout}/scripts/registry-package.ts')
    .then(({ packageFolder }) => packageFolder('tiny')).then(folder => console.log(folder))`
  const child = spawn(process.execPath, ['-e', program], { env: { ...env, ...more } })
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')])
  return { code, stdout: stdout.toString(), stderr: stderr.toString() }
}

t.test("a package comes from the caller's registry by the caller's authority, once", async t => {
  const stage = await setStage(t)
  const folder = join(stage.cache, 'tiny-1.0.0')
  const trusted = { NODE_EXTRA_CA_CERTS: stage.caFile }
  t.match(await find(stage, trusted), { code: 0, stdout: `${folder}\n` })
  t.same(readdirSync(stage.cache), ['tiny-1.0.0'])
  t.match(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), { name: 'tiny', version: '1.0.0' })
  t.match(await find(stage, {}), { code: 0, stdout: `${folder}\n` }, 'and then from the cache, without a registry')
})

t.test('without that authority nothing is fetched, and nothing is left', async t => {
  const stage = await setStage(t)
  t.match(await find(stage, {}), { code: 1, stdout: '', stderr: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/ })
  t.same(readdirSync(stage.cache), [])
})

t.test('other bytes than package-lock.json pins are refused, and nothing is left', async t => {
  const stage = await setStage(t, `sha512-${digestOf(Buffer.from('other'), 'sha512', 'base64')}`)
  const { code, stdout, stderr } = await find(stage, { NODE_EXTRA_CA_CERTS: stage.caFile })
  t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: 'tiny@1.0.0 is not what package-lock.json pins' })
  t.same(readdirSync(stage.cache), [])
})
