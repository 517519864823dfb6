import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { pagePolicy } from '../../../../agent/report/page/page.ts'
import { probeRoutes, reportRoutes } from '../../../../agent/report/routes.ts'
import { startReportServer } from '../../../../agent/report/server.ts'
import type { Status } from '../../../../agent/report/status.ts'
import { failedVerdict, statusOf } from './fixtures.ts'

const loopback = { host: '127.0.0.1', port: 0 }
const metrics = { contentType: 'text/plain; version=0.0.4', render: async () => 'nopal_build_info 1\n' }
const shares = { most: 100, mostOfOne: 16 }
const well = statusOf()
const unverified = statusOf({ verdict: undefined })
const failed = statusOf({ verdict: failedVerdict })
const waiting = statusOf({ installed: { installed: false, message: 'waiting' } })

interface RouteCase {
  readonly name: string
  readonly status?: Status
  readonly method?: string
  readonly path: string
  readonly code: number
  readonly body?: RegExp
}

const cases: readonly RouteCase[] = [
  { name: 'alive, whatever the node is like', status: failed, path: '/healthz', code: 200 },
  { name: 'alive before the first verdict', status: unverified, path: '/healthz', code: 200 },
  { name: 'ready', path: '/readyz', code: 200 },
  { name: 'ready with a failed verdict', status: failed, path: '/readyz', code: 200 },
  {
    name: 'not ready before the first verdict',
    status: unverified,
    path: '/readyz',
    code: 503,
    body: /first verification/,
  },
  { name: 'not ready without CNI files', status: waiting, path: '/readyz', code: 503, body: /CNI files .* waiting/ },
  {
    name: 'ready where CNI is none of our business',
    status: statusOf({ installs: false, installed: undefined }),
    path: '/readyz',
    code: 200,
  },
  { name: 'healthy', path: '/health', code: 200 },
  { name: 'not healthy', status: failed, path: '/health', code: 503, body: /dns Refused x\.test/ },
  { name: 'not known to be healthy', status: unverified, path: '/health', code: 503, body: /not verified yet/ },
  { name: 'metrics', path: '/metrics', code: 200, body: /^nopal_build_info 1$/m },
  { name: 'a query does not matter', path: '/healthz?verbose', code: 200 },
  { name: 'the page', path: '/', code: 200, body: /^<!doctype html>/ },
  { name: 'only the head', method: 'HEAD', path: '/', code: 200, body: /^$/ },
  { name: 'another path', path: '/debug', code: 404 },
  { name: 'a path below one of ours', path: '/metrics/', code: 404 },
  { name: 'a name of every object', path: '/constructor', code: 404 },
  { name: 'a method that would change something', method: 'POST', path: '/healthz', code: 405 },
  { name: 'another method', method: 'DELETE', path: '/', code: 405 },
]

for (const { name, status = well, method = 'GET', path, code, body } of cases) {
  t.test(`report: ${name}`, async t => {
    const server = await serve(t, status)
    const reply = await ask(server, method, path)
    t.equal(reply.code, code)
    if (body !== undefined) t.match(reply.body, body)
  })
}

t.test('report: the status is JSON as it is', async t => {
  const server = await serve(t, failed)
  const reply = await ask(server, 'GET', '/status.json')
  t.equal(reply.type, 'application/json')
  t.match(JSON.parse(reply.body), {
    node: 'n1',
    version: '1.2.3',
    startTime: '1970-01-01T00:00:00.000Z',
    verdict: failedVerdict,
    verdictTime: '1970-01-01T00:00:01.000Z',
    cni: { enabled: true, installed: true, message: 'kactus wraps network bridge of 10-bridge.conflist' },
    gate: null,
    missing: [],
    problems: ['the node failed its verification', 'dns Refused x.test @192.0.2.53 A: as told'],
  })
})

t.test('report: no other page may show, read or load any of it, and the page may load nothing', async t => {
  const server = await serve(t, well)
  for (const path of ['/', '/status.json', '/metrics', '/nothing']) {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}${path}`)
    const told = ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'cross-origin-resource-policy']
    t.same(
      [...told, 'cache-control', 'access-control-allow-origin'].map(name => headers.get(name)),
      ['nosniff', 'DENY', 'no-referrer', 'same-origin', 'no-store', null],
    )
    t.equal(
      headers.get('content-security-policy'),
      path === '/' ? pagePolicy : "default-src 'none'; frame-ancestors 'none'",
    )
  }
})

t.test('report: a fault while answering is a 500, and the next request is served', async t => {
  let broken = true
  const render = async () => {
    if (broken) throw new Error('a secret')
    return 'fine'
  }
  const server = await serve(t, well, { ...metrics, render })
  const reply = await ask(server, 'GET', '/metrics')
  t.equal(reply.code, 500)
  t.notMatch(reply.body, /secret/)
  broken = false
  t.equal((await ask(server, 'GET', '/metrics')).code, 200)
})

const probes: readonly (readonly [path: string, code: number])[] = [
  ['/healthz', 200],
  ['/readyz', 503],
  ['/health', 404],
  ['/metrics', 404],
  ['/status.json', 404],
  ['/', 404],
]

t.test('report: kubelet is told of health and of nothing else', async t => {
  const server = await startReportServer({ listen: loopback, routes: probeRoutes({ status: unverified }), shares })
  t.teardown(() => server.close())
  const codes = await Promise.all(probes.map(async ([path]) => [path, (await ask(server, 'GET', path)).code]))
  t.same(codes, probes)
})

t.test('report: clients that are slow, silent, or talk too much are cut off, and closing waits for nobody', async t => {
  const large = 64 * 2 ** 20
  const server = await serve(t, well, { ...metrics, render: async () => 'x'.repeat(large) })
  const idle = connect(server.port, '127.0.0.1')
  t.teardown(() => idle.destroy())
  const [slow, silent, wordy, unread] = await Promise.all([
    untilCut(server, 'GET /healthz HTTP/1.1\r\nx: ', { drip: 'x' }),
    untilCut(server, ''),
    untilCut(server, `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(9000)}\r\n\r\n`),
    untilCut(server, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n', { lookAfterMs: 12_000 }),
  ])
  t.match(slow, /^HTTP\/1\.1 408 /)
  t.match(silent, /^(HTTP\/1\.1 408 .*)?$/s)
  t.match(wordy, /^HTTP\/1\.1 431 /)
  t.ok(unread.length < large, 'who does not read for long does not get the rest')
  await server.close()
})

interface Reply {
  readonly code: number | undefined
  readonly type: string | undefined
  readonly body: string
}

async function serve(t: Test, status: Status, of: typeof metrics = metrics) {
  const server = await startReportServer({ listen: loopback, routes: reportRoutes({ metrics: of, status }), shares })
  t.teardown(() => server.close())
  return server
}

interface ClientHabits {
  /** Sent again and again. */
  readonly drip?: string
  /** Nothing is read before. */
  readonly lookAfterMs?: number
}

/** Sends a text and returns what comes back until the server hangs up. */
async function untilCut({ port }: { readonly port: number }, text: string, habits: ClientHabits = {}): Promise<string> {
  const { drip = '', lookAfterMs = 0 } = habits
  const socket = connect(port, '127.0.0.1')
  // A connection that is reset is cut, too.
  socket.on('error', () => undefined)
  const cut = new Promise(resolve => socket.on('close', resolve))
  socket.write(text)
  const dripping = setInterval(() => socket.write(drip), 200)
  await sleep(lookAfterMs)
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  await cut
  clearInterval(dripping)
  return Buffer.concat(chunks).toString()
}

async function ask(server: { readonly port: number }, method: string, path: string): Promise<Reply> {
  const sent = request({ host: '127.0.0.1', port: server.port, method, path, agent: false }).end()
  const [response] = await once(sent, 'response')
  const body: Buffer[] = await Array.fromAsync(response)
  return { code: response.statusCode, type: response.headers['content-type'], body: Buffer.concat(body).toString() }
}
