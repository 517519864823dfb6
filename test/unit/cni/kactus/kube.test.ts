import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openKube } from '../../../../cni/kactus/kube.ts'
import type { KubeAccess } from '../../../../cni/kactus/kubeconfig.ts'
import { printJson } from '../../../../cni/spec/json.ts'
import { makePki } from '../../../cluster/pki.ts'

const folder = await mkdtemp(join(tmpdir(), 'nopal-pki-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const pki = await makePki(folder, ['localhost', '127.0.0.1', 'kube.test'])
const ca = await readFile(pki.ca.certFile, 'utf8')
const [cert, key] = await Promise.all([readFile(pki.server.certFile), readFile(pki.server.keyFile)])
const [clientCertPem, clientKeyPem] = await Promise.all([
  readFile(pki.admin.certFile, 'utf8'),
  readFile(pki.admin.keyFile, 'utf8'),
])

type Respond = (request: IncomingMessage, response: ServerResponse) => void

interface Served {
  readonly access: KubeAccess
  readonly requests: readonly IncomingMessage[]
}

/** An API server that answers every request in one way. */
async function served(t: Test, respond: Respond, more: Partial<KubeAccess> = {}): Promise<Served> {
  const requests: IncomingMessage[] = []
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    requests.push(request)
    response.on('error', () => undefined)
    respond(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const access: KubeAccess = {
    server: new URL(`https://127.0.0.1:${port}`),
    caPem: ca,
    tlsServerName: undefined,
    insecure: false,
    token: 'eyJsecret',
    clientCertPem: undefined,
    clientKeyPem: undefined,
    ...more,
  }
  return { access, requests }
}

const forever = new AbortController().signal
const LIMIT = 512 * 1024
const text = (status: number, body: string): Respond => {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}

t.test('an object, to the last digit, asked for with the token', async t => {
  const { access, requests } = await served(t, text(200, '{"id":9007199254740993}'))
  const reader = await openKube(access, forever)
  t.equal(printJson((await reader.get('/api/v1/x?y=1', LIMIT)) ?? null), '{"id":9007199254740993}')
  const [request] = requests
  t.equal(request?.method, 'GET')
  t.equal(request?.url, '/api/v1/x?y=1')
  t.match(request?.headers, { authorization: 'Bearer eyJsecret', accept: 'application/json' })
})

t.test('below a path of the server, without a token', async t => {
  const { access, requests } = await served(t, text(200, '{}'), { token: undefined })
  access.server.pathname = '/cluster-1/'
  await (await openKube(access, forever)).get('/api', LIMIT)
  t.equal(requests[0]?.url, '/cluster-1/api')
  t.notOk('authorization' in (requests[0]?.headers ?? {}))
})

t.test('an object that is not there', async t => {
  const { access } = await served(t, text(404, '{"kind":"Status"}'))
  t.equal(await (await openKube(access, forever)).get('/x', LIMIT), undefined)
})

t.test('by a client certificate', async t => {
  const { access, requests } = await served(t, text(200, '{}'), { clientCertPem, clientKeyPem })
  await (await openKube(access, forever)).get('/x', LIMIT)
  t.match(requests[0]?.socket, { authorized: true })
})

interface FaultCase {
  readonly name: string
  readonly respond: Respond
  readonly code: string
  readonly message: RegExp
}

const faultCases: readonly FaultCase[] = [
  { name: 'no JSON', respond: text(200, '<html>'), code: 'BadReply', message: /answered no JSON to GET \/x$/ },
  { name: 'nothing', respond: text(200, ''), code: 'BadReply', message: /no JSON/ },
  { name: 'endless nesting', respond: text(200, '['.repeat(5000)), code: 'BadReply', message: /no JSON/ },
  { name: '401', respond: text(401, '{}'), code: 'Status', message: /answered 401 to GET \/x$/ },
  { name: '403', respond: text(403, '{}'), code: 'Status', message: /answered 403/ },
  { name: '429', respond: text(429, '{}'), code: 'Status', message: /answered 429/ },
  { name: '500', respond: text(500, '{}'), code: 'Status', message: /answered 500/ },
  { name: '204', respond: text(204, ''), code: 'Status', message: /answered 204/ },
  {
    name: 'half a body',
    respond: (_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":', () => response.destroy())
    },
    code: 'Unreachable',
    message: /cannot be reached/,
  },
  {
    name: 'nothing at all',
    respond: request => request.socket.destroy(),
    code: 'Unreachable',
    message: /cannot be reached: ECONNRESET$/,
  },
  {
    name: 'a body without end',
    respond: (_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ')
      const more = () => void (response.writableEnded || response.destroyed || response.write(chunk, more))
      more()
    },
    code: 'TooLarge',
    message: /answered with too large an object$/,
  },
  {
    name: 'short enough, and more values than it may hold',
    respond: (_request, response) => void response.end(`[${'[],'.repeat(LIMIT / 4)}[]]`),
    code: 'TooLarge',
    message: /answered with too large an object$/,
  },
]

for (const { name, respond, code, message } of faultCases) {
  t.test(`the server answers ${name}`, async t => {
    const { access } = await served(t, respond)
    const reader = await openKube(access, forever)
    await t.rejects(reader.get('/x', LIMIT), { name: 'KubeReadError', code, message })
  })
}

t.test('a redirect is not followed: nobody else gets the token', async t => {
  const other = await served(t, text(200, '{}'))
  const { access } = await served(
    t,
    (_request, response) => void response.writeHead(302, { location: `${other.access.server.href}x` }).end(),
  )
  await t.rejects((await openKube(access, forever)).get('/x', LIMIT), { code: 'Status', message: /answered 302/ })
  t.equal(other.requests.length, 0)
})

t.test('a server that does not answer in time', async t => {
  const abort = new AbortController()
  const { access } = await served(t, () => abort.abort())
  const reader = await openKube(access, abort.signal)
  await t.rejects(reader.get('/x', LIMIT), { code: 'TimedOut', message: /did not answer in time$/ })
  await t.rejects(reader.get('/x', LIMIT), { code: 'TimedOut' })
})

t.test('a server of another CA gets no token', async t => {
  const { access, requests } = await served(t, text(200, '{}'), { caPem: undefined })
  await t.rejects((await openKube(access, forever)).get('/x', LIMIT), { code: 'Unreachable' })
  t.equal(requests.length, 0)
})

t.test('the certificate must be of the name that is asked for', async t => {
  const good = await served(t, text(200, '{}'), { tlsServerName: 'kube.test' })
  t.strictSame(await (await openKube(good.access, forever)).get('/x', LIMIT), {})
  const bad = await served(t, text(200, '{}'), { tlsServerName: 'other.test' })
  await t.rejects((await openKube(bad.access, forever)).get('/x', LIMIT), { code: 'Unreachable', message: /ALTNAME/ })
  t.equal(bad.requests.length, 0)
})

t.test('without verification, where the kubeconfig says so', async t => {
  const { access } = await served(t, text(200, '{}'), { caPem: undefined, insecure: true })
  t.strictSame(await (await openKube(access, forever)).get('/x', LIMIT), {})
})

t.test('nobody there', async t => {
  const { access } = await served(t, text(200, '{}'))
  access.server.port = '1'
  await t.rejects((await openKube(access, forever)).get('/x', LIMIT), { code: 'Unreachable', message: /ECONNREFUSED$/ })
})
