import { join } from 'node:path'
import t from 'tap'
import { createHcloudClient } from '../../agent/pool/hcloud-client.ts'
import { HcloudError } from '../../agent/pool/hcloud-error.ts'
import { listServers } from '../../agent/pool/list-servers.ts'
import { systemClock } from '../../agent/runtime/clock.ts'
import { findKubeAssets } from '../cluster/assets.ts'
import { errorAnswer, type FakeAnswer, html, json } from '../fakes/hcloud/answers.ts'
import { startFakeHcloud } from '../fakes/hcloud/main.ts'
import { type FakeServer, fakeServer } from '../fakes/hcloud/servers.ts'
import { runCommand } from '../machine/command.ts'

/** What the public Go client reads of the fake, nopal reads as well: it decides what the shapes mean. */

const judge = join(await findKubeAssets(['hcloud-read']), 'hcloud-read')
const fake = await startFakeHcloud()
t.teardown(() => fake.stop())

interface Answer {
  readonly servers?: readonly object[] | null
  readonly error?: { readonly code: string; readonly status?: number }
}

async function askJudge(selector: string, token = fake.token): Promise<Answer> {
  return JSON.parse(await runCommand([judge, fake.url, selector], { env: { HCLOUD_TOKEN: token } })) as Answer
}

/** No second tries, as the judge has none. */
const client = createHcloudClient({
  endpoint: fake.url,
  userAgent: 'nopal/test',
  clock: { ...systemClock, after: (_, done) => systemClock.after(0, done) },
  random: () => 0,
  onAnswer: () => undefined,
  onRemaining: () => undefined,
})

const selector = 'kops.k8s.io/instance-role=Node'

async function askNopal(token = fake.token): Promise<Answer> {
  try {
    const servers = await listServers(client, { selector, token }, new AbortController().signal)
    return { servers: servers.map(({ id, name, status, addresses }) => ({ id, name, status, addresses })) }
  } catch (error) {
    if (error instanceof HcloudError) return { error: { code: error.code } }
    throw error
  }
}

interface JudgedServer {
  readonly id: number
  readonly name: string
  readonly status: string
  readonly ipv4: string
  readonly ipv4Blocked: boolean
  readonly ipv6: string
}

/** The judge's server in nopal's words. */
function translate({ id, name, status, ipv4, ipv4Blocked: blocked, ipv6 }: JudgedServer): object {
  const first = `${ipv6.replace(/::\/64$/, '::1')}/128`
  return {
    id,
    name,
    status,
    addresses: [
      ...(ipv4 === '' ? [] : [{ family: 'ipv4', block: `${ipv4}/32`, blocked }]),
      ...(ipv6 === '' ? [] : [{ family: 'ipv6', block: first, blocked }]),
    ],
  }
}

const lists: Readonly<Record<string, readonly FakeServer[]>> = {
  'none at all': [],
  'one page': [fakeServer(1), fakeServer(2, { status: 'off' })],
  'three pages, out of order': Array.from({ length: 120 }, (_, index) => fakeServer(120 - index)),
  'addresses that are null': [
    fakeServer(1, { ipv4: null }),
    fakeServer(2, { ipv6: null }),
    fakeServer(3, { ipv4: null, ipv6: null }),
  ],
  'a blocked address': [fakeServer(1, { blocked: true })],
  "an id at the end of JSON's numbers": [fakeServer(1), { ...fakeServer(2), id: 2 ** 53 - 1 }],
  'servers with other labels': [fakeServer(1), fakeServer(2, { labels: { role: 'db' } })],
}

for (const [name, servers] of Object.entries(lists)) {
  t.test(name, async t => {
    fake.servers = [...servers]
    const judged = await askJudge(selector)
    t.notOk(judged.error)
    t.same((await askNopal()).servers, ((judged.servers ?? []) as JudgedServer[]).map(translate))
  })
}

const faults: Readonly<Record<string, FakeAnswer>> = {
  'a token that may not': errorAnswer(403, 'forbidden', 'insufficient permissions'),
  'a selector that is none': errorAnswer(400, 'invalid_input', "invalid input in field 'label_selector'"),
  'too many questions': errorAnswer(429, 'rate_limit_exceeded', 'limit reached'),
  'a conflict': errorAnswer(409, 'conflict', 'conflict'),
  locked: errorAnswer(423, 'locked', 'locked'),
  maintenance: errorAnswer(503, 'maintenance', 'maintenance'),
  'an error inside': errorAnswer(500, 'server_error', 'internal server error'),
  unavailable: errorAnswer(503, 'unavailable', 'unavailable'),
  'an API version that is gone': errorAnswer(410, 'deprecated_api_endpoint', 'gone'),
}

for (const [name, answer] of Object.entries(faults)) {
  t.test(name, async t => {
    fake.servers = [fakeServer(1)]
    fake.instead = () => answer
    const judged = await askJudge(selector)
    t.match(judged.error, { status: answer.status })
    t.equal((await askNopal()).error?.code, judged.error?.code)
    fake.instead = () => undefined
  })
}

t.test('a wrong token', async t => {
  const judged = await askJudge(selector, 'wrong')
  t.equal(judged.error?.code, 'unauthorized')
  t.equal((await askNopal('wrong')).error?.code, 'unauthorized')
})

t.test('what the judge believes and nopal must not: no list, a page of another site', async t => {
  const bodies = [json(200, {}), html, json(200, { servers: [{ id: 1 }] }), json(200, { servers: [] })]
  for (const answer of bodies) {
    fake.instead = () => answer
    t.match(await askNopal(), { error: { code: 'bad_answer' } })
  }
  fake.instead = () => undefined
})
