import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createKubeClient, type KubeClient } from '../../../../agent/kube/client.ts'
import { accountFolder } from '../../../../agent/kube/credentials.ts'
import { followCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { loadCredentials } from '../../../../agent/kube/load-credentials.ts'
import { issueCertificate, type KeyPair, makePki } from '../../../cluster/pki.ts'

/** A server on loopback; each request comes on a connection of its own. Ends with the test. */
async function serve(
  t: Test,
  options: ServerOptions,
  answer: RequestListener,
): Promise<{ url: string; server: Server }> {
  const server = createServer(options, (request, response) => {
    response.setHeader('connection', 'close')
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

/** As kubelet and those who renew certificates write a file. */
async function put(folder: string, name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(folder, `${name}.new`), content)
  await rename(join(folder, `${name}.new`), join(folder, name))
}

type Way = Parameters<typeof loadCredentials>[0]

/** A client of the agent's. Below `root`, where that is given, are the files of the machine. */
async function clientOf(t: Test, way: Way, root = ''): Promise<KubeClient> {
  const credentials = await followCredentials({
    load: () => loadCredentials(way, path => readFileSync(join(root, path), 'utf8')),
    stamp: async path => String((await stat(join(root, path))).ino),
  })
  const client = createKubeClient({ credentials, userAgent: 'nopal/test' })
  t.teardown(() => client.close())
  return client
}

const read = async ({ certFile, keyFile }: KeyPair) => ({
  cert: await readFile(certFile),
  key: await readFile(keyFile),
})

t.test('a client certificate that was renewed opens a new connection; half a pair leaves the old one', async t => {
  const folder = t.testdir({ config: {}, pki: {} })
  const config = join(folder, 'config')
  const pki = await makePki(join(folder, 'pki'), ['127.0.0.1'])
  const ca = await readFile(pki.ca.certFile)
  // It lets in whom its CA has signed and who is not `old`, and says who that was.
  const { url } = await serve(t, { ca, ...(await read(pki.server)), requestCert: true }, (request, response) => {
    const name = (request.socket as TLSSocket).getPeerCertificate().subject.CN
    response.writeHead(name === 'old' ? 401 : 200)
    response.end(JSON.stringify({ name }))
  })
  const issue = async (name: string) => read(await issueCertificate(pki.folder, name, { commonName: name }))
  const [old, renewed] = [await issue('old'), await issue('renewed')]
  await put(config, 'ca.crt', ca)
  await put(config, 'client.crt', old.cert)
  await put(config, 'client.key', old.key)
  await put(config, 'kubeconfig', kubeconfig(url))
  const client = await clientOf(t, { kubeconfig: [join(config, 'kubeconfig')], apiService: undefined })
  const ask = () => client.request({ method: 'GET', path: '/' })
  await t.rejects(ask(), { code: 'Unauthorized' })
  await put(config, 'client.crt', renewed.cert)
  await t.rejects(ask(), { code: 'Unauthorized' }, 'a certificate without its key is of no use')
  await put(config, 'client.key', renewed.key)
  t.same(await ask(), { name: 'renewed' })
})

const kinds = ['a kubeconfig', "the pod's account"] as const

for (const kind of kinds) {
  t.test(`a server with a certificate of another CA is believed once the CA file of ${kind} says so`, async t => {
    const root = t.testdir({})
    const folder = join(root, accountFolder)
    await mkdir(folder, { recursive: true })
    const [before, after] = [
      await makePki(join(root, 'before'), ['127.0.0.1']),
      await makePki(join(root, 'after'), ['127.0.0.1']),
    ]
    const { url, server } = await serve(t, await read(before.server), (_request, response) => response.end('{}'))
    const { port } = server.address() as AddressInfo
    await put(folder, 'ca.crt', await readFile(before.ca.certFile))
    await put(folder, 'token', 't')
    await put(folder, 'kubeconfig', kubeconfig(url, '{tokenFile: token}'))
    const ways = {
      'a kubeconfig': { kubeconfig: [join(accountFolder, 'kubeconfig')], apiService: undefined },
      "the pod's account": { kubeconfig: [], apiService: { host: '127.0.0.1', port } },
    }
    const client = await clientOf(t, ways[kind], root)
    const ask = () => client.request({ method: 'GET', path: '/' })
    t.same(await ask(), {})
    server.setSecureContext(await read(after.server))
    await t.rejects(ask(), { code: 'TLSFailed' }, 'not with the old file')
    await put(folder, 'ca.crt', await readFile(after.ca.certFile))
    t.same(await ask(), {})
    await put(folder, 'ca.crt', await readFile(before.ca.certFile))
    await t.rejects(ask(), { code: 'TLSFailed' }, 'nor with the old one again')
  })
}

function kubeconfig(server: string, user = '{client-certificate: client.crt, client-key: client.key}'): string {
  return `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "${server}", certificate-authority: ca.crt}}]
users: [{name: u, user: ${user}}]
`
}
