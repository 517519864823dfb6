import t, { type Test } from 'tap'
import type { NetmakerClient, Write } from '../../../../agent/netmaker/client.ts'
import { NetmakerError } from '../../../../agent/netmaker/errors.ts'
import { describeError } from '../../../../agent/runtime/error-fields.ts'
import type { FakeAnswer } from '../../../fakes/netmaker/faults.ts'
import type { FakeNetmaker } from '../../../fakes/netmaker/main.ts'
import { addMachine, clientFor, password, startServer, username } from './bed.ts'

const { signal } = new AbortController()
const free: Write = { signal, fence: () => undefined }
const logins = ({ seen }: FakeNetmaker) => seen.filter(({ path }) => path.endsWith('/adm/authenticate')).length

async function failureOf(work: Promise<unknown>): Promise<NetmakerError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof NetmakerError)) throw new Error(`no NetmakerError: ${String(error)}`)
  return error
}

t.test('lists, as the server has them', async t => {
  const fake = await startServer(t)
  const { host, nodes } = addMachine(fake, 'n1', ['lab', 'dual'])
  fake.state.clients.push({ id: '0', hostid: '0', network: 'lab', is_static: true })
  const client = clientFor(t, fake)
  t.same(await client.listHosts(signal), [{ id: host.id, name: 'n1', endpoint: host.endpointip }])
  const shown = nodes.map(({ id, network }) => ({ id, hostId: host.id, network, connected: true, leaving: false }))
  const listed = await client.listNodes(signal)
  t.same(
    listed.toSorted((one, other) => (one.network > other.network ? -1 : 1)),
    shown,
    'without external clients',
  )
  t.same(await client.listNetworks(signal), ['dual', 'lab'], 'JSON that is called text')
  t.same(await client.listRules('lab', signal), [])
  t.same(await client.status(signal), { version: 'v1.5.1', brokerConnected: false })
  t.equal(logins(fake), 1)
})

t.test('a rule made, changed and deleted', async t => {
  const fake = await startServer(t)
  const { nodes } = addMachine(fake, 'n1')
  const client = clientFor(t, fake)
  const ids = Object.fromEntries(nodes.map(({ id }) => [id, 500]))
  await client.createRule({ network: 'lab', name: 'a', range: '10.42.1.0/24', nat: false, nodes: ids }, free)
  const [made] = await client.listRules('lab', signal)
  t.match(made, { name: 'a', range: '10.42.1.0/24', enabled: true, nodeIds: Object.keys(ids) })
  if (made === undefined) return
  const { id: _, ...words } = made.raw
  await client.updateRule(made.id, { ...words, network: 'lab', name: 'b' }, free)
  t.match(fake.seen.find(({ method }) => method === 'PUT')?.body, made.id, 'without it another rule is overwritten')
  t.match((await client.listRules('lab', signal))[0], { id: made.id, name: 'b', enabled: true })
  await client.deleteRule(made, free)
  t.same(await client.listRules('lab', signal), [])
})

t.test('what a rule has besides comes back as it came', async t => {
  const fake = await startServer(t)
  const rule =
    '{"id":"r1","network":"lab","nodes":{"x":9007199254740993},"access":{"groups":["g"]},"size":1.0,"status":true}'
  const body = `{"Code":200,"Message":"","Response":[${rule}]}`
  fake.faults.instead = ({ method, path }) =>
    method === 'GET' && path.includes('egress') ? { status: 200, type: 'application/json', body } : undefined
  const client = clientFor(t, fake)
  const [made] = await client.listRules('lab', signal)
  if (made === undefined) return t.fail('no rule')
  await client.updateRule(made.id, { ...made.raw, network: 'lab' }, free).catch(() => undefined)
  const sent = fake.seen.find(({ method }) => method === 'PUT')?.body
  t.match(sent, '"nodes":{"x":9007199254740993}', 'a metric beyond a double')
  t.match(sent, '"access":{"groups":["g"]},"size":1.0')
})

t.test('one login for many refused calls at once', async t => {
  const fake = await startServer(t)
  const client = clientFor(t, fake)
  await client.listHosts(signal)
  for (const token of fake.state.tokens.values()) token.revoked = true
  await Promise.all(Array.from({ length: 8 }, () => client.listHosts(signal)))
  t.equal(logins(fake), 2)
})

const page = (status: number, type: string | null, body: string): FakeAnswer => ({ status, type, body })
const isLogin = (path: string) => path.endsWith('/adm/authenticate')

interface Row {
  readonly name: string
  readonly given?: Parameters<typeof clientFor>[1]['given']
  readonly spoil?: (fake: FakeNetmaker) => void
  readonly ask?: (client: NetmakerClient) => Promise<unknown>
  readonly code: string
  readonly message: RegExp
  readonly logins: number
}

const rows: readonly Row[] = [
  {
    name: 'a wrong password',
    given: { password: 'wrong-one' },
    code: 'LoginRefused',
    message: /^\[netmaker\] username, password: the login was refused: .* 400 incorrect credentials$/,
    logins: 1,
  },
  {
    name: 'an unknown user',
    given: { username: 'nobody' },
    code: 'LoginRefused',
    message: /401 record not found/,
    logins: 1,
  },
  {
    name: 'a user with a second factor',
    spoil: ({ state }) => Object.assign(state.users.get(username) ?? {}, { mfa: true }),
    code: 'LoginRefused',
    message: /second factor/,
    logins: 1,
  },
  {
    name: 'tokens that are dead from birth',
    spoil: ({ state }) => (state.tokenMinutes = 0),
    code: 'TokenRefused',
    message: /with a login that was just accepted/,
    logins: 2,
  },
  {
    name: 'users that the server cannot read',
    spoil: ({ faults }) => faults.unreadable.add('users_v1'),
    code: 'LoginRefused',
    message: /no such table: users_v1/,
    logins: 1,
  },
  {
    name: 'a locked database',
    spoil: ({ faults }) => (faults.locked = true),
    code: 'LoginRefused',
    message: /database is locked/,
    logins: 1,
  },
  {
    name: 'too few rights',
    spoil: ({ faults }) => {
      faults.instead = ({ path }) =>
        isLogin(path) ? undefined : page(403, 'application/json', '{"Code":403,"Message":"access denied"}')
    },
    code: 'Forbidden',
    message: /^\[netmaker\] username: the user has too few rights: GET \/api\/hosts: 403 access denied$/,
    logins: 1,
  },
  {
    name: 'a page of HTML',
    spoil: ({ faults }) => (faults.instead = () => page(200, 'text/html', '<html>')),
    code: 'BadReply',
    message: /^\[netmaker\] api-url: POST .*: 200 with text\/html, not JSON$/,
    logins: 1,
  },
  {
    name: 'another API',
    spoil: ({ faults }) => (faults.instead = () => page(404, 'text/plain', '404 page not found')),
    code: 'BadReply',
    message: /^\[netmaker\] api-url: .*there is no Netmaker API$/,
    logins: 1,
  },
  {
    name: 'a redirect, with a secret in it',
    spoil: ({ faults }) => {
      faults.instead = () => ({ ...page(301, null, ''), headers: { location: 'http://a:b@else.test/x?token=t' } })
    },
    code: 'BadReply',
    message: /redirected \(301\) to http:\/\/else\.test\/x$/,
    logins: 1,
  },
  {
    name: 'half of a JSON',
    spoil: ({ faults }) =>
      (faults.instead = ({ path }) => (isLogin(path) ? undefined : page(200, 'application/json', '[{'))),
    code: 'BadReply',
    message: /the answer is no JSON$/,
    logins: 1,
  },
  {
    name: 'an object where a list should be',
    spoil: ({ faults }) =>
      (faults.instead = ({ path }) => (isLogin(path) ? undefined : page(200, 'application/json', '{}'))),
    code: 'BadReply',
    message: /not what a Netmaker server says/,
    logins: 1,
  },
  {
    name: 'hosts without names',
    spoil: ({ faults }) =>
      (faults.instead = ({ path }) => (isLogin(path) ? undefined : page(200, 'application/json', '[{"id":"x"}]'))),
    code: 'BadReply',
    message: /not what a Netmaker server says \(0\.name\)$/,
    logins: 1,
  },
  {
    name: 'a code in the body that is not the status',
    spoil: ({ faults }) => {
      faults.instead = ({ path }) =>
        isLogin(path) ? undefined : page(200, 'application/json', '{"Code":500,"Message":"oh"}')
    },
    code: 'Refused',
    message: /200 oh$/,
    logins: 1,
  },
  {
    name: 'a server without egress rules',
    spoil: ({ faults }) => (faults.version = '0.90'),
    ask: client => client.listRules('lab', signal),
    code: 'NoEgress',
    message: /must be 0\.99 or newer$/,
    logins: 1,
  },
  {
    name: 'a database that fails',
    spoil: ({ faults }) => faults.unreadable.add('hosts_v1'),
    code: 'ServerError',
    message: /500 no such table: hosts_v1$/,
    logins: 1,
  },
  {
    name: 'a server that is asked too often',
    spoil: ({ faults }) => {
      const answer = {
        ...page(429, 'application/json', '{"Code":429,"Message":"slow"}'),
        headers: { 'retry-after': '7' },
      }
      faults.instead = ({ path }) => (isLogin(path) ? undefined : answer)
    },
    code: 'Throttled',
    message: /429 slow$/,
    logins: 1,
  },
  {
    name: 'a server that does not answer',
    given: { timeoutMs: 1_000 },
    spoil: ({ faults }) => (faults.latencyMs = 3_000),
    code: 'TimedOut',
    message: /no answer within 1000 ms$/,
    logins: 1,
  },
  {
    name: 'more than any list',
    spoil: ({ faults }) => {
      const body = `["${'x'.repeat(64 * 2 ** 20)}"]`
      faults.instead = ({ path }) => (isLogin(path) ? undefined : page(200, 'application/json', body))
    },
    code: 'BadReply',
    message: /larger than/,
    logins: 1,
  },
]

/** All that is logged of an error. */
const told = (error: unknown) => JSON.stringify(describeError(error))

async function ask(t: Test, row: Row): Promise<void> {
  const fake = await startServer(t)
  row.spoil?.(fake)
  const given = row.given ?? {}
  const client = clientFor(t, { url: fake.url, given })
  const error = await failureOf(row.ask?.(client) ?? client.listHosts(signal))
  t.equal(error.code, row.code)
  t.match(error.message, row.message)
  t.equal(logins(fake), row.logins, 'logins')
  const secrets = [given.password ?? password, ...fake.state.tokens.keys()]
  t.notOk(
    secrets.some(secret => told(error).includes(secret)),
    'no secret in it',
  )
}

for (const row of rows) t.test(row.name, t => ask(t, row))

t.test('nobody there', async t => {
  const error = await failureOf(clientFor(t, { url: 'http://127.0.0.1:1' }).listHosts(signal))
  t.match(error, { code: 'Unreachable', message: /^\[netmaker\] api-url: .*ECONNREFUSED/ })
})

t.test('a server that repeats what it was sent', async t => {
  const fake = await startServer(t)
  fake.faults.instead = () => page(400, 'application/json', JSON.stringify({ Code: 400, Message: `bad: ${password}` }))
  const error = await failureOf(clientFor(t, fake).listHosts(signal))
  t.match(error.message, /400 bad: \[secret\]$/)
})

t.test('how long a server asked to wait', async t => {
  const fake = await startServer(t)
  const said = { ...page(503, 'application/json', '{"Code":503}'), headers: { 'retry-after': '7' } }
  fake.faults.instead = () => said
  t.match(await failureOf(clientFor(t, fake).listHosts(signal)), { code: 'ServerError', retryAfterMs: 7_000 })
})

t.test('a fence keeps a write back', async t => {
  const fake = await startServer(t)
  const client = clientFor(t, fake)
  await client.listHosts(signal)
  const fence = () => {
    throw new Error('not ours any more')
  }
  await t.rejects(client.deleteRule({ id: 'x', network: 'lab' }, { signal, fence }), { message: 'not ours any more' })
  t.notOk(fake.seen.some(({ method }) => method === 'DELETE'))
})

t.test('calls are counted', async t => {
  const fake = await startServer(t)
  const counts: string[] = []
  const client = clientFor(t, { url: fake.url, onAnswer: (method, code) => counts.push(`${method} ${code}`) })
  await client.listHosts(signal)
  await client.deleteRule({ id: 'none', network: 'lab' }, free).catch(() => undefined)
  t.same(counts, ['POST 200', 'GET 200', 'DELETE 400'])
})
