import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../machine/wait.ts'
import { sendRequest } from './api-client.ts'
import { type ApiServer, startApiServer } from './api-server.ts'

const kinds = ['embedded', 'real'] as const

for (const kind of kinds) {
  await t.test(`${kind}: two at once, and nothing left of them`, async t => checkTwo(t, kind))
  await t.test(`${kind}: a kubeconfig lets an account in`, async t => checkKubeconfig(t, kind))
  await t.test(`${kind}: the test is killed`, async t => checkKilled(t, kind))
}

await t.test('the real server grants what a role grants, nothing else', async t => checkRights(t))

function freshRun(): string {
  return `machinery-${randomBytes(3).toString('hex')}`
}

async function checkTwo(t: Test, kind: ApiServer['kind']): Promise<void> {
  const run = freshRun()
  const servers = await Promise.all([startApiServer({ kind, run }), startApiServer({ kind, run })])
  const [first, second] = servers
  t.not(first.url, second.url)
  t.match(first.folder, run, 'the folder is named after the run')
  await first.send({ method: 'POST', path: '/api/v1/nodes', body: { metadata: { name: 'only-here' } } })
  t.equal((await second.send({ method: 'GET', path: '/api/v1/nodes/only-here' })).code, 404)
  await Promise.all(servers.map(server => server.stop()))
  for (const { folder, url } of servers) await checkGone(t, folder, url)
}

async function checkKubeconfig(t: Test, kind: ApiServer['kind']): Promise<void> {
  const server = await startApiServer({ kind, run: freshRun() })
  t.teardown(() => server.stop())
  const file = await server.kubeconfigFor('team', 'agent')
  const text = await readFile(file, 'utf8')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.match(text, `server: ${server.url}`)
  const [, token = ''] = /token: (\S+)/.exec(text) ?? []
  const [, ca = ''] = /certificate-authority-data: (\S+)/.exec(text) ?? []
  const target = { url: server.url, ca: Buffer.from(ca, 'base64').toString(), token }
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const answer = await sendRequest(target, { method: 'POST', path, body })
  t.match(answer.body, { status: { userInfo: { username: 'system:serviceaccount:team:agent' } } })
  t.match(await readFile(server.adminKubeconfig, 'utf8'), /client-key-data: \S+/)
}

/** Starts a server in a process of its own, kills that, and waits until all of it is gone. */
async function checkKilled(t: Test, kind: ApiServer['kind']): Promise<void> {
  const seam = join(import.meta.dirname, 'api-server.ts')
  const script = `
    const { startApiServer } = await import(${JSON.stringify(seam)})
    const { folder, url } = await startApiServer(${JSON.stringify({ kind, run: freshRun() })})
    console.log(JSON.stringify({ folder, url }))
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { folder, url } = JSON.parse(String(line)) as { folder: string; url: string }
  await access(folder)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await until('it to be gone', async () => !(await isThere(folder)) && (await tryConnect(url)) === 'ECONNREFUSED')
  await checkGone(t, folder, url)
}

async function checkRights(t: Test): Promise<void> {
  const server = await startApiServer({ kind: 'real', run: freshRun() })
  t.teardown(() => server.stop())
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const rules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]
  const role = { metadata: { name: 'reader' }, rules }
  const binding = {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'team', name: 'agent' }],
  }
  const target = await server.targetFor('team', 'agent')
  const get = async (path: string): Promise<number> => (await sendRequest(target, { method: 'GET', path })).code
  t.equal(await get('/api/v1/nodes/none'), 403)
  await server.send({ method: 'POST', path: `${rbac}/clusterroles`, body: role })
  await server.send({ method: 'POST', path: `${rbac}/clusterrolebindings`, body: binding })
  // The server learns of a new binding a moment later.
  await until('it to be known', async () => (await get('/api/v1/nodes/none')) !== 403)
  t.equal(await get('/api/v1/nodes/none'), 404)
  t.equal(await get('/api/v1/nodes'), 403)
}

async function checkGone(t: Test, folder: string, url: string): Promise<void> {
  t.notOk(await isThere(folder), 'its folder is gone')
  t.equal(await tryConnect(url), 'ECONNREFUSED', 'nobody listens on its port')
}

/** Why a connection fails; `open` where it does not. */
async function tryConnect(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const outcome = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).then(
    () => 'open',
    (error: { code?: string }) => error.code,
  )
  socket.destroy()
  return outcome
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
