import type { ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import t from 'tap'
import { KubeError, type KubeErrorCode } from '../../../../agent/kube/api.ts'
import { bodyOf, clientFor, serve } from './test-server.ts'

const get = { method: 'GET', path: '/api/v1/nodes/n1' } as const

async function failureOf(work: Promise<unknown>): Promise<KubeError> {
  const error = await work.then(
    () => new Error('no failure'),
    (reason: unknown) => reason,
  )
  if (error instanceof KubeError) return error
  throw error
}

interface AnswerCase {
  readonly name: string
  readonly answer: (response: ServerResponse) => void
  readonly code: KubeErrorCode
  readonly status?: number
  readonly retryAfterMs?: number
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(code, headers)
    response.end(JSON.stringify({ kind: 'Status', message: 'because' }))
  }

const answerCases: readonly AnswerCase[] = [
  { name: 'not let in', answer: status(401), code: 'Unauthorized', status: 401 },
  { name: 'no right', answer: status(403), code: 'Forbidden', status: 403 },
  { name: 'not there', answer: status(404), code: 'NotFound', status: 404 },
  { name: 'conflict', answer: status(409), code: 'Conflict', status: 409 },
  { name: 'too old', answer: status(410), code: 'Gone', status: 410 },
  { name: 'refused patch', answer: status(422), code: 'Invalid', status: 422 },
  { name: 'another 4xx', answer: status(415), code: 'Invalid', status: 415 },
  {
    name: 'throttled',
    answer: status(429, { 'retry-after': '7' }),
    code: 'Throttled',
    status: 429,
    retryAfterMs: 7000,
  },
  {
    name: 'throttled with a date',
    answer: status(429, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }),
    code: 'Throttled',
  },
  { name: 'throttled with nonsense', answer: status(429, { 'retry-after': '-1' }), code: 'Throttled' },
  { name: 'ill', answer: status(500), code: 'ServerError', status: 500 },
  { name: 'away behind a proxy', answer: status(503, { 'retry-after': '1' }), code: 'ServerError', retryAfterMs: 1000 },
  {
    name: 'a redirect is not followed',
    answer: status(302, { location: 'http://127.0.0.1:1/' }),
    code: 'BadReply',
    status: 302,
  },
  { name: 'a page instead of JSON', answer: response => response.end('<html>'), code: 'BadReply' },
  { name: 'nothing', answer: response => response.end(), code: 'BadReply' },
  {
    name: 'half a body',
    answer: response => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":', () => response.destroy())
    },
    code: 'BadReply',
  },
  { name: 'hangs up', answer: response => response.destroy(), code: 'Unreachable' },
]

for (const row of answerCases) {
  t.test(row.name, async t => {
    const url = await serve(t, (_, response) => row.answer(response))
    const error = await failureOf(clientFor(t, url).request(get))
    t.equal(error.code, row.code)
    if (row.status !== undefined) t.equal(error.status, row.status)
    t.equal(error.retryAfterMs, row.retryAfterMs)
  })
}

t.test('the message names the request and what the server said', async t => {
  const url = await serve(t, (_, response) => status(403)(response))
  const error = await failureOf(clientFor(t, url).request(get))
  t.equal(error.message, 'GET /api/v1/nodes/n1: 403 because')
})

t.test('nobody listens', async t => {
  const server = createTcpServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => {
    server.close(resolve)
  })
  const error = await failureOf(clientFor(t, `http://127.0.0.1:${port}`).request(get))
  t.equal(error.code, 'Unreachable')
  t.match(error.message, 'ECONNREFUSED')
})

t.test('a server that speaks no TLS', async t => {
  const url = await serve(t, (_, response) => response.end())
  const error = await failureOf(clientFor(t, url.replace('http:', 'https:')).request(get))
  t.equal(error.code, 'TLSFailed')
})

t.test('a server that never answers', async t => {
  const url = await serve(t, () => undefined)
  const error = await failureOf(clientFor(t, url).request({ ...get, timeoutMs: 50 }))
  t.equal(error.code, 'TimedOut')
  t.match(error.message, 'within 50 ms')
})

t.test('a server that never ends its answer', async t => {
  const url = await serve(t, (_, response) => {
    response.write('{')
  })
  const error = await failureOf(clientFor(t, url).request({ ...get, timeoutMs: 50 }))
  t.equal(error.code, 'TimedOut')
})

t.test('the caller changes its mind', async t => {
  const caller = new AbortController()
  const url = await serve(t, () => caller.abort(new Error('never mind')))
  await t.rejects(clientFor(t, url).request({ ...get, signal: caller.signal }), { message: 'never mind' })
  await t.rejects(clientFor(t, url).request({ ...get, signal: caller.signal }), { message: 'never mind' })
})

t.test('what goes over the wire', async t => {
  const seen: unknown[] = []
  const url = await serve(t, async (request, response) => {
    const { method, url: target, headers } = request
    const { authorization, accept } = headers
    seen.push({ method, target, authorization, accept, type: headers['content-type'], agent: headers['user-agent'] })
    seen.push(await bodyOf(request))
    response.end('{"ok":true}')
  })
  const client = clientFor(t, `${url}/k8s/clusters/c1`, { token: 'secret' })
  const answer = await client.request({
    method: 'PATCH',
    path: '/api/v1/nodes/n1',
    query: { fieldManager: 'a b' },
    body: [{ op: 'test' }],
    contentType: 'application/json-patch+json',
  })
  t.same(answer, { ok: true })
  t.same(seen, [
    {
      method: 'PATCH',
      target: '/k8s/clusters/c1/api/v1/nodes/n1?fieldManager=a+b',
      authorization: 'Bearer secret',
      accept: 'application/json',
      type: 'application/json-patch+json',
      agent: 'nopal/test',
    },
    '[{"op":"test"}]',
  ])
})

t.test('the body of a deletion arrives, with its preconditions, and spoils no request after it', async t => {
  const seen: unknown[] = []
  const url = await serve(t, async (request, response) => {
    seen.push(await bodyOf(request))
    response.end('{}')
  })
  const client = clientFor(t, url)
  const body = { preconditions: { uid: 'ü' } }
  await client.request({ method: 'DELETE', path: '/api/v1/nodes/n1', body })
  await client.request({ method: 'POST', path: '/api/v1/nodes', body: {} })
  await client.request({ method: 'DELETE', path: '/api/v1/nodes/n1' })
  t.same(seen, [JSON.stringify(body), '{}', ''])
})

t.test('requests share a connection', async t => {
  const sockets = new Set<unknown>()
  const url = await serve(t, (request, response) => {
    sockets.add(request.socket)
    response.end('{}')
  })
  const client = clientFor(t, url)
  for (let i = 0; i < 5; i++) await client.request(get)
  t.equal(sockets.size, 1)
})

t.test('a kept connection that the server has closed meanwhile: reads are asked again, writes are not', async t => {
  let requests = 0
  const url = await serve(t, (request, response) => {
    requests += 1
    // Every second request on a connection finds it cut.
    if (requests % 2 === 0) request.socket.destroy()
    else response.end('{}')
  })
  const client = clientFor(t, url)
  await client.request(get)
  t.same(await client.request(get), {})
  t.equal(requests, 3)
  const error = await failureOf(client.request({ ...get, method: 'PATCH', body: {} }))
  t.equal(error.code, 'Unreachable')
  t.equal(requests, 4)
})
