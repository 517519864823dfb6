import { readFileSync } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { createKubeClient } from '../../../../agent/kube/client.ts'
import { followCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { loadCredentials } from '../../../../agent/kube/load-credentials.ts'
import { issueCertificate, makePki, type Pki } from '../../../cluster/pki.ts'

// A server that lets in whom its CA has signed and who is not `old`, and says who that was.

async function serveNames(pki: Pki): Promise<{ url: string; close(): void }> {
  const [ca, cert, key] = await Promise.all(
    [pki.ca.certFile, pki.server.certFile, pki.server.keyFile].map(file => readFile(file)),
  )
  const server = createServer({ ca, cert, key, requestCert: true }, (request, response) => {
    const name = (request.socket as TLSSocket).getPeerCertificate().subject.CN
    response.writeHead(name === 'old' ? 401 : 200)
    response.end(JSON.stringify({ name }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

t.test('a client certificate that was renewed opens a new connection; half a pair leaves the old one', async t => {
  const folder = t.testdir({ config: {}, pki: {} })
  const pki = await makePki(join(folder, 'pki'), ['127.0.0.1'])
  const server = await serveNames(pki)
  t.teardown(() => server.close())
  const put = async (name: string, from: string) => {
    await writeFile(join(folder, 'config', `${name}.new`), await readFile(from))
    await rename(join(folder, 'config', `${name}.new`), join(folder, 'config', name))
  }
  const [old, renewed] = await Promise.all(
    ['old', 'renewed'].map(name => issueCertificate(pki.folder, name, { commonName: name })),
  )
  if (old === undefined || renewed === undefined) throw new Error('no certificates')
  await Promise.all([put('client.crt', old.certFile), put('client.key', old.keyFile), put('ca.crt', pki.ca.certFile)])
  const config = join(folder, 'config', 'kubeconfig')
  await writeFile(config, kubeconfig(server.url))
  const client = createKubeClient({
    credentials: await followCredentials({
      load: () => loadCredentials({ kubeconfig: [config], apiService: undefined }, path => readFileSync(path, 'utf8')),
      stamp: async path => String((await stat(path)).ino),
    }),
    userAgent: 'nopal/test',
  })
  t.teardown(() => client.close())
  const ask = () => client.request({ method: 'GET', path: '/' })
  await t.rejects(ask(), { code: 'Unauthorized' })
  await put('client.crt', renewed.certFile)
  await t.rejects(ask(), { code: 'Unauthorized' }, 'a certificate without its key is of no use')
  await put('client.key', renewed.keyFile)
  t.same(await ask(), { name: 'renewed' })
})

function kubeconfig(server: string): string {
  return `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "${server}", certificate-authority: ca.crt}}]
users: [{name: u, user: {client-certificate: client.crt, client-key: client.key}}]
`
}
