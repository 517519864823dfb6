import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import t from 'tap'
import { createTerm, TermEndedError } from '../../../../agent/kube/term.ts'
import { bodyOf, clientFor, serve } from './test-server.ts'

const write = { method: 'POST', path: '/api/v1/things', body: { a: 1 } } as const

function expired(): never {
  throw new TermEndedError('over')
}

t.test('a write passes its fence when it leaves, on a new connection and on a kept one', async t => {
  const seen: string[] = []
  const url = await serve(t, async (request, response) => {
    seen.push(await bodyOf(request))
    response.end('{}')
  })
  const client = clientFor(t, url)
  let passed = 0
  const fence = () => {
    passed += 1
  }
  for (let i = 1; i <= 3; i++) {
    await client.request({ ...write, fence })
    t.equal(passed, i)
  }
  t.same(seen, Array(3).fill('{"a":1}'))
})

t.test('one that its fence keeps back never leaves; later ones do', async t => {
  let seen = 0
  const url = await serve(t, (_, response) => {
    seen += 1
    response.end('{}')
  })
  const client = clientFor(t, url)
  for (let i = 0; i < 3; i++) await t.rejects(client.request({ ...write, fence: expired }), { code: 'TermEnded' })
  t.equal(seen, 0)
  await client.request(write)
  await t.rejects(client.request({ ...write, fence: expired }), { code: 'TermEnded' }, 'on a kept connection')
  t.equal(seen, 1)
})

t.test('the fence is asked once the connection stands, not before: its making can take any time', async t => {
  const server = createTcpServer(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const client = clientFor(t, `https://127.0.0.1:${port}`, { insecure: true })
  let asked = 0
  const fence = () => {
    asked += 1
  }
  const connected = once(server, 'connection')
  const caller = new AbortController()
  const sent = client.request({ ...write, fence, signal: caller.signal, timeoutMs: 600_000 })
  sent.catch(() => undefined)
  const [socket] = await connected
  await once(socket, 'data')
  t.equal(asked, 0, 'it has said hello, and waits')
  caller.abort(new Error('enough'))
  await t.rejects(sent, { message: 'enough' })
  socket.destroy()
})

t.test('a term writes while it is certain, and reads always', async t => {
  const seen: string[] = []
  const url = await serve(t, (request, response) => {
    seen.push(request.method ?? '')
    response.end('{}')
  })
  const ending = new AbortController()
  let certain = true
  const term = createTerm(clientFor(t, url), ending.signal, () => certain)
  await term.api.request(write)
  term.fence()
  certain = false
  await t.rejects(term.api.request(write), { code: 'TermEnded' })
  t.throws(() => term.fence(), { code: 'TermEnded' })
  await term.api.request({ method: 'GET', path: '/api/v1/things' })
  certain = true
  ending.abort(new TermEndedError('over'))
  await t.rejects(term.api.request(write), { code: 'TermEnded', message: 'over' })
  t.same(seen, ['POST', 'GET'])
})
