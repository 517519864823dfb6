import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readKubeconfig } from '../../cni/kactus/kubeconfig.ts'
import { sendRequest } from '../cluster/api-client.ts'
import { startApiServer } from '../cluster/api-server.ts'
import { findKubeAssets } from '../cluster/assets.ts'
import { applyManifests } from '../lab/product.ts'
import { bareEnv, collect } from '../machine/command.ts'

const script = join(import.meta.dirname, '../../scripts/create-kubeconfig.sh')

const api = await startApiServer({ kind: 'real', run: 'create-kubeconfig' })
t.teardown(() => api.stop())
await applyManifests(api)
await api.targetFor('nopal', 'plain')
const kubectlFolder = await findKubeAssets(['kubectl'])

/** Runs the script as the administrator; the server is on loopback, which no node could reach, so each names another way to it. */
function create(...args: readonly string[]) {
  const env = { PATH: `${kubectlFolder}:${bareEnv.PATH}`, HOME: api.folder, KUBECONFIG: api.adminKubeconfig }
  return collect([script, ...args], { env })
}

/** An address that is not loopback by its looks. */
const server = api.url.replace('127.0.0.1', '0.0.0.0')

t.test('kactus reads the file, and with it what it may read and nothing else', async t => {
  const output = join(t.testdir(), 'kactus-kubeconfig.yaml')
  const made = await create('--output', output, '--server', server, '--duration', '1h')
  t.match(made, { code: 0, stdout: '', stderr: /wrote .*kactus-kubeconfig\.yaml: https:.* as kactus, until 20/ })
  t.equal((await stat(output)).mode & 0o777, 0o600)
  const { caPem: ca, token, server: named } = await readKubeconfig(output)
  t.equal(named.href, `${server}/`)
  t.notMatch(made.stderr, token ?? '', 'the token is not told')
  const target = { url: api.url, ca: ca ?? '', token: token ?? '' }
  const get = async (path: string) => (await sendRequest(target, { method: 'GET', path })).code
  t.equal(await get('/api/v1/namespaces/default/pods/none'), 404)
  t.equal(await get('/apis/kaloom.com/v1/namespaces/default/networks/none'), 404)
  t.equal(await get('/api/v1/namespaces/default/secrets/none'), 403)
})

interface RefusedRow {
  readonly name: string
  readonly args: readonly string[]
  readonly code: number
  readonly said: RegExp
}

const refusedRows: readonly RefusedRow[] = [
  {
    name: 'an address of loopback',
    args: [],
    code: 1,
    said: /127\.0\.0\.1:\d+ leads nowhere from a node: name another/,
  },
  {
    name: 'no https',
    args: ['--server', 'http://10.0.0.1'],
    code: 1,
    said: /not https:\/\/\.\.\.: "http:\/\/10\.0\.0\.1"/,
  },
  {
    name: 'no address',
    args: ['--server', 'https://a b"c'],
    code: 1,
    said: /not https:\/\/\.\.\.: "https:\/\/a b"c"/,
  },
  { name: 'a folder', args: ['--server', server, '--output', '.'], code: 1, said: /--output is a folder: \./ },
  {
    name: 'no such account',
    args: ['--server', server, '--account', 'nobody'],
    code: 1,
    said: /no token of account nobody in namespace nopal: kubectl apply/,
  },
  {
    name: 'an account without the rights',
    args: ['--server', server, '--account', 'plain'],
    code: 1,
    said: /account plain in namespace nopal may not read pods/,
  },
  { name: 'an option that is not known', args: ['--name', 'x'], code: 2, said: /unknown argument --name/ },
  { name: 'an option without its value', args: ['--server'], code: 2, said: /--server needs a value/ },
]

for (const row of refusedRows) t.test(`${row.name}: one clear message, and no file`, t => refuse(t, row))

async function refuse(t: Test, { args, code, said }: RefusedRow): Promise<void> {
  const folder = t.testdir()
  const refused = await create('--output', join(folder, 'file'), ...args)
  t.match(refused, { code, stdout: '', stderr: said })
  t.same(await readdir(folder), [])
}
