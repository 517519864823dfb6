import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApiServer } from '../cluster/api-server.ts'
import { collect } from '../machine/command.ts'
import { applyManifests } from './product.ts'

// What the built agent makes of kubeconfigs that need more than a file: a program to log in with, and a proxy.

const program = join(import.meta.dirname, '../../dist/nopal.js')

/** Lets through whatever it is asked for, and notes it. */
async function startProxy(t: Test, asked: string[]): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(405).end())
  const sockets = new Set<Socket>()
  server.on('connect', (request, socket: Socket) => {
    const [host, port] = (request.url ?? '').split(':')
    asked.push(String(request.url))
    const target = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const end of [socket, target]) sockets.add(end.on('error', () => undefined))
    target.pipe(socket).pipe(target)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function apiCheck(env: Readonly<Record<string, string>>, nopal = program): Promise<unknown> {
  const args = [nopal, 'verify', '--dry-run', '--from', 'host', '--output', 'json']
  const settings = { NODE_NAME: 'n1', NOPAL_VERIFY_DNS_DOMAINS: '127.0.0.1', NOPAL_VERIFY_CHECK_TIMEOUT: '5s' }
  // Other checks fail here, with 1: there is no cluster.
  const { stdout } = await collect([process.execPath, ...args], { env: { ...settings, ...env } })
  const { checks } = JSON.parse(stdout) as { checks: readonly { code: string; result: string; message: string }[] }
  return checks.filter(({ code }) => code === 'api').map(({ result, message }) => ({ result, message }))
}

t.test('a program to log in with, a proxy, and a list of two files', async t => {
  const server = await startApiServer({ kind: 'real', run: 'agent-kubeconfig' })
  t.teardown(() => server.stop())
  await applyManifests(server)
  const { token = '' } = await server.targetFor('nopal', 'nopal')
  const asked: string[] = []
  const [folder, proxy] = [t.testdir({}), await startProxy(t, asked)]
  await mkdir(join(folder, 'bin'))
  const login = join(folder, 'bin/login')
  const credential = JSON.stringify({ kind: 'ExecCredential', status: { token } })
  await writeFile(login, `#!/bin/sh\n[ -n "$KUBERNETES_EXEC_INFO" ] && echo '${credential}'\n`)
  await chmod(login, 0o755)
  const user = 'users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login}}}]\n'
  await writeFile(join(folder, 'user'), user)
  const cluster = `cluster: {server: "${server.url}", certificate-authority: "${server.caFile}", proxy-url: "${proxy}"}`
  const rest = `current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, ${cluster}}]\n`
  await writeFile(join(folder, 'cluster'), rest)
  const list = `${join(folder, 'cluster')}:${join(folder, 'none')}:${join(folder, 'user')}`
  t.match(await apiCheck({ KUBECONFIG: list }), [{ result: 'pass', message: /^let in/ }])
  t.ok(asked.length > 0 && asked.every(target => target === new URL(server.url).host), asked.join())
  await writeFile(login, '#!/bin/sh\necho "who are you" >&2; exit 1\n')
  await t.rejects(apiCheck({ KUBECONFIG: list }), 'no document: the start ends')
})

t.test('whoever has no such kubeconfig does not load the library: the agent works without its file', async t => {
  const server = await startApiServer({ kind: 'real', run: 'agent-kubeconfig-plain' })
  t.teardown(() => server.stop())
  const alone = join(t.testdir({}), 'nopal.cjs')
  await copyFile(program, alone)
  t.match(await apiCheck({ KUBECONFIG: server.adminKubeconfig }, alone), [{ result: 'pass', message: /^let in/ }])
})
