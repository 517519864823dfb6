import t from 'tap'
import { type FakeNetmaker, startFakeNetmaker } from '../fakes/netmaker/main.ts'
import { addUser } from '../fakes/netmaker/users.ts'
import { Bindings, findDifference } from './netmaker/bindings.ts'
import { type Exchange, type RecordedAnswer, readRecorded, topics } from './netmaker/recorded.ts'

/** The fake answers every recorded exchange as the real server did: status, content type, body. */
const fake = await startFakeNetmaker()
t.teardown(() => fake.stop())

/** What was done between the exchanges, by other means than the API. */
const setups: Readonly<Record<string, (fake: FakeNetmaker) => void>> = {
  'jwt_validity_duration_clients was set to 0 in the server settings': ({ state }) => (state.tokenMinutes = 0),
  'basic_auth was set to false and the token life put back to 720': ({ state }) => {
    state.tokenMinutes = 720
    state.basicAuth = false
  },
  'basic_auth was set to true again': ({ state }) => (state.basicAuth = true),
  'mfa-user was made and given a TOTP secret beforehand': ({ state }) => {
    addUser(state, 'mfa-user', 'fake-password-2').mfa = true
  },
  'as above': () => undefined,
  'all rules were deleted': ({ state }) => {
    for (const id of [...state.rules.keys()]) state.deleteRule(id)
  },
  'the node in edge was made a gateway and one external client was added': ({ state }) => {
    const none = '00000000-0000-0000-0000-000000000000'
    const [edge] = [...state.nodes.values()].filter(({ network }) => network === 'edge')
    const address = '10.104.0.254/32'
    state.clients.push({ ...edge, id: none, hostid: none, address, connected: false, is_static: true })
  },
  'the server process was killed (SIGKILL) and started again': () => undefined,
  'another process holds the write lock of the database': ({ faults }) => (faults.locked = true),
  'the lock is gone': ({ faults }) => (faults.locked = false),
  'the table of users cannot be read': ({ faults }) => faults.unreadable.add('users_v1'),
  'the table of users can be read again': ({ faults }) => faults.unreadable.clear(),
  'the table of rules cannot be read': ({ faults }) => faults.unreadable.add('egresses'),
  'only the table of hosts cannot be read': ({ faults }) => {
    faults.unreadable.clear()
    faults.unreadable.add('hosts_v1')
  },
  'all tables can be read again': ({ faults }) => faults.unreadable.clear(),
}

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly text: string
}

const bindings = new Bindings()

async function send({ request }: Exchange): Promise<Answer> {
  const { method, path, headers, body, rawBody } = request
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body))
  const filled = Object.entries(headers).map(([name, value]) => [name, bindings.fill(value)])
  const answer = await fetch(fake.url + bindings.fill(path), {
    method,
    headers: Object.fromEntries(filled),
    redirect: 'manual',
    ...(text === undefined ? {} : { body: bindings.fill(text) }),
  })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

function parse(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text)
}

function differs(recorded: RecordedAnswer, { status, type, text }: Answer): string | undefined {
  if (status !== recorded.status) return `status ${status}, recorded ${recorded.status}: ${text}`
  if (type !== recorded.headers['content-type']) return `type ${type}, recorded ${recorded.headers['content-type']}`
  if (recorded.rawBody !== undefined) return text === recorded.rawBody ? undefined : `body ${text}`
  return findDifference(recorded.body, parse(text), { bindings, trimmed: recorded.trimmed === true })
}

async function crowd(exchange: Exchange): Promise<string | undefined> {
  // The list before it was cut to ranges: any of the twenty rules is meant.
  const [, id] = /id=(c{8}-[0-9a-f-]+)$/.exec(exchange.request.path) ?? []
  if (id !== undefined) bindings.bind(id, [...fake.state.rules.keys()][0])
  const answers = await Promise.all(Array.from({ length: exchange.parallel ?? 0 }, () => send(exchange)))
  const wrong = (exchange.responses ?? []).map(({ count, status, body }) => {
    const same = answers.filter(answer => answer.status === status)
    if (same.length !== count) return `${same.length} times ${status}, recorded ${count}`
    const bodies = body === undefined ? [] : same.map(({ text }) => parse(text))
    return firstOf(bodies.map(one => findDifference(body, one, { bindings, trimmed: false })))
  })
  return firstOf(wrong)
}

const firstOf = (found: readonly (string | undefined)[]) => found.find(one => one !== undefined)

const deleteRules = 'all rules were deleted'
let replayed = 0
for (const topic of topics) {
  t.test(topic, async t => {
    // No topic begins with rules of the one before.
    setups[deleteRules]?.(fake)
    for (const exchange of await readRecorded(topic)) {
      if (exchange.setup !== undefined) setups[exchange.setup]?.(fake)
      const wrong =
        exchange.response === undefined ? await crowd(exchange) : differs(exchange.response, await send(exchange))
      t.equal(wrong, undefined, exchange.about)
      replayed++
    }
  })
}

t.test('none is left out', async t => {
  t.equal(replayed, 318)
})
