import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKubeClient } from '../../../../agent/kube/client.ts'
import { followCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { loadCredentials } from '../../../../agent/kube/load-credentials.ts'
import { makePki, type Pki } from '../../../cluster/pki.ts'

async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    // Whoever is cut off at the end of a test has nothing to add.
    socket.on('error', () => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** An API server that says which token it saw. */
async function serveApi(t: Test, pki: Pki): Promise<number> {
  const [cert, key] = await Promise.all([readFile(pki.server.certFile), readFile(pki.server.keyFile)])
  const server = createServer({ cert, key }, (request, response) => {
    response.end(JSON.stringify({ saw: request.headers.authorization }))
  })
  return listen(t, server)
}

function join2(one: Socket, other: Socket): void {
  one.pipe(other)
  other.pipe(one)
  for (const socket of [one, other]) socket.on('error', () => undefined)
}

/** An HTTP proxy: CONNECT and nothing else. `asked` notes where to, and as whom. */
async function serveHttpProxy(t: Test, asked: string[]): Promise<number> {
  const server = createHttpServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
    if (request.headers['proxy-authorization'] === 'Basic YmFkOmJhZA==') return socket.end('HTTP/1.1 407 No\r\n\r\n')
    const [host, port] = (request.url ?? '').split(':')
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      join2(socket, target)
    })
    return socket
  })
  return listen(t, server)
}

/** A SOCKS 5 proxy without login, for IPv4 and names. */
async function serveSocksProxy(t: Test, asked: string[]): Promise<number> {
  const server = createTcpServer(socket => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]))
      socket.once('data', (question: Buffer) => {
        const isName = question[3] === 3
        const host = isName ? question.subarray(5, -2).toString() : [...question.subarray(4, 8)].join('.')
        const port = question.readUInt16BE(question.length - 2)
        asked.push(`${host}:${port}`)
        const target = connect(port, host, () => {
          socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]))
          join2(socket, target)
        })
      })
    })
  })
  return listen(t, server)
}

const folder = t.testdir({})
const pki = await makePki(folder, ['kubernetes.default'])

/** A client whose kubeconfig goes by the proxy; the certificate has another name than the address. */
async function clientBy(t: Test, apiPort: number, proxyUrl: string) {
  const config = join(folder, `config-${apiPort}-${proxyUrl.replaceAll(/\W/g, '')}`)
  const cluster = {
    server: `https://127.0.0.1:${apiPort}`,
    'certificate-authority': pki.ca.certFile,
    'tls-server-name': 'kubernetes.default',
    'proxy-url': proxyUrl,
  }
  const kubeconfig = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster }],
    users: [{ name: 'u', user: { token: 'T' } }],
  }
  await writeFile(config, JSON.stringify(kubeconfig))
  const settings = { kubeconfig: [config], apiService: undefined }
  const credentials = await followCredentials({
    load: () => loadCredentials(settings, path => readFileSync(path, 'utf8')),
    stamp: async path => path,
  })
  const client = createKubeClient({ credentials, userAgent: 'nopal/test' })
  t.teardown(() => client.close())
  return client
}

interface ProxyCase {
  readonly name: string
  readonly serve: (t: Test, asked: string[]) => Promise<number>
  readonly url: (port: number) => string
  readonly login?: string
}

const proxyCases: readonly ProxyCase[] = [
  { name: 'HTTP', serve: serveHttpProxy, url: port => `http://127.0.0.1:${port}` },
  {
    name: 'HTTP with a login',
    serve: serveHttpProxy,
    url: port => `http://a:b@127.0.0.1:${port}`,
    login: ' Basic YTpi',
  },
  { name: 'SOCKS 5', serve: serveSocksProxy, url: port => `socks5://127.0.0.1:${port}` },
]

for (const { name, serve, url, login = '' } of proxyCases) {
  t.test(`proxy-url: ${name}`, async t => {
    const asked: string[] = []
    const [apiPort, proxyPort] = [await serveApi(t, pki), await serve(t, asked)]
    const client = await clientBy(t, apiPort, url(proxyPort))
    for (let round = 0; round < 2; round++) {
      t.same(await client.request({ method: 'GET', path: '/' }), { saw: 'Bearer T' })
    }
    t.ok(asked.length > 0 && asked.every(line => line === `127.0.0.1:${apiPort}${login}`), asked.join())
  })
}

t.test('a proxy that refuses, and one that is not there: no connection, and no other way is tried', async t => {
  const apiPort = await serveApi(t, pki)
  const refusing = await clientBy(t, apiPort, `http://bad:bad@127.0.0.1:${await serveHttpProxy(t, [])}`)
  await t.rejects(refusing.request({ method: 'GET', path: '/' }), { code: 'Unreachable' })
  const absent = await clientBy(t, apiPort, 'http://127.0.0.1:1')
  await t.rejects(absent.request({ method: 'GET', path: '/' }), { code: 'Unreachable' })
})
