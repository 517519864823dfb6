import t from 'tap'
import type { Sight } from '../../../../agent/lookup/allowance.ts'
import { answerLine, podWaitMs } from '../../../../agent/lookup/answers.ts'
import type { ObjectCache } from '../../../../agent/lookup/cache.ts'
import {
  type PodFacts,
  parseAnswer,
  printQuestion,
  type WantedNetwork,
} from '../../../../cni/networks/lookup-protocol.ts'
import { field, isJsonObject, type Json, type JsonObject } from '../../../../cni/spec/json.ts'
import { createFakeClock, type FakeClock, settle } from '../runtime/fake-clock.ts'

/** A cache that a test fills: `team/green` for the Networks. */
class FakeCache implements ObjectCache {
  readonly pods = new Map<string, PodFacts>()
  readonly networks = new Map<string, Sight<JsonObject>>()
  readonly #listeners = new Set<() => void>()

  pod(namespace: string, name: string): PodFacts | undefined {
    return this.pods.get(`${namespace}/${name}`)
  }

  network(kind: string, namespace: string, name: string): Sight<JsonObject> {
    const key = `${namespace}/${name}`
    return (kind === 'Network' ? this.networks.get(key) : undefined) ?? { state: 'absent' }
  }

  onPods(run: () => void): () => void {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  putPod(key: string, facts: PodFacts): void {
    this.pods.set(key, facts)
    for (const run of this.#listeners) run()
  }

  async stop(): Promise<void> {}
}

const facts = (networks: unknown): PodFacts => ({ uid: 'u1', annotations: { networks: JSON.stringify(networks) } })
const object = (namespace: string, name: string, size = 100): Sight<JsonObject> => ({
  state: 'known',
  value: { metadata: { namespace, name }, spec: { config: '{}' } },
  size,
})

async function ask(cache: FakeCache, pod: string, network?: WantedNetwork) {
  const [namespace = '', name = ''] = pod.split('/')
  const { text, outcome } = await answerLine(printQuestion({ namespace, pod: name, network }), cache, createFakeClock())
  return { outcome, found: (parseAnswer(text)?.networks ?? []).map(({ object }) => nameIn(object)) }
}

function nameIn(value: Json): string {
  const metadata = isJsonObject(value) ? field(value, 'metadata') : undefined
  return metadata !== undefined && isJsonObject(metadata)
    ? `${field(metadata, 'namespace')}/${field(metadata, 'name')}`
    : ''
}

const green = [{ name: 'green' }]
const uncertain: Sight<JsonObject> = { state: 'unknown' }

interface ViewCase {
  readonly name: string
  readonly pod: string
  readonly asks: unknown
  readonly networks: Readonly<Record<string, Sight<JsonObject>>>
  readonly found: readonly string[]
}

const both = { 'team/green': object('team', 'green'), 'default/green': object('default', 'green') }
const viewCases: readonly ViewCase[] = [
  { name: 'in its own namespace', pod: 'default/p', asks: green, networks: both, found: ['default/green'] },
  {
    name: 'in both: the nearer one first',
    pod: 'team/p',
    asks: green,
    networks: both,
    found: ['team/green', 'default/green'],
  },
  {
    name: 'certainly not in its own: the one behind',
    pod: 'team/p',
    asks: green,
    networks: { 'default/green': object('default', 'green') },
    found: ['default/green'],
  },
  {
    name: 'perhaps in its own: none, so that kactus looks for itself',
    pod: 'team/p',
    asks: green,
    networks: { ...both, 'team/green': uncertain },
    found: [],
  },
  {
    name: 'another one is told all the same',
    pod: 'team/p',
    asks: [...green, { name: 'blue' }],
    networks: { ...both, 'team/green': uncertain, 'team/blue': object('team', 'blue') },
    found: ['team/blue'],
  },
  {
    name: 'named with its namespace',
    pod: 'team/p',
    asks: [{ name: 'green', namespace: 'default' }],
    networks: { ...both, 'team/green': uncertain },
    found: ['default/green'],
  },
  {
    name: 'more than one answer may hold',
    pod: 'default/p',
    asks: [...green, { name: 'blue' }],
    networks: { 'default/green': object('default', 'green', 2 ** 20), 'default/blue': object('default', 'blue') },
    found: ['default/green'],
  },
  { name: 'none anywhere', pod: 'team/p', asks: green, networks: {}, found: [] },
  { name: 'nothing asked for', pod: 'team/p', asks: [], networks: both, found: [] },
  { name: 'an annotation that is none', pod: 'team/p', asks: 7, networks: both, found: [] },
]

for (const row of viewCases) {
  t.test(`networks: ${row.name}`, async t => {
    const cache = new FakeCache()
    cache.putPod(row.pod, facts(row.asks))
    for (const [key, sight] of Object.entries(row.networks)) cache.networks.set(key, sight)
    t.strictSame(await ask(cache, row.pod), { outcome: 'known', found: row.found })
  })
}

t.test('one network for a running pod', async t => {
  const cache = new FakeCache()
  cache.putPod('team/p', facts([]))
  for (const [key, sight] of Object.entries(both)) cache.networks.set(key, sight)
  const wanted = { kind: 'Network', name: 'green', namespace: undefined } as const
  t.strictSame(await ask(cache, 'team/p', wanted), { outcome: 'known', found: ['team/green', 'default/green'] })
})

const question = printQuestion({ namespace: 'default', pod: 'p', network: undefined })

/** Asks for pod `default/p`, which is not there yet. */
async function waiting(): Promise<{ cache: FakeCache; clock: FakeClock; outcomes: readonly string[] }> {
  const [cache, clock, outcomes] = [new FakeCache(), createFakeClock(), [] as string[]]
  const answered = answerLine(question, cache, clock)
  const note = async () => {
    outcomes.push((await answered).outcome)
  }
  note().catch(() => undefined)
  await settle()
  return { cache, clock, outcomes }
}

t.test('a pod that comes within the wait is answered at once', async t => {
  const { cache, clock, outcomes } = await waiting()
  cache.putPod('default/other', facts([]))
  await settle()
  t.same(outcomes, [], 'another pod is not the one')
  cache.putPod('default/p', facts([]))
  await settle()
  t.same(outcomes, ['known'])
  t.equal(clock.nextMs(), undefined, 'no timer is left')
  t.equal(cache.listeners, 0, 'and no listener')
})

t.test('a pod that does not come: we do not know', async t => {
  const { cache, clock, outcomes } = await waiting()
  await clock.advance(podWaitMs - 1)
  t.same(outcomes, [])
  await clock.advance(1)
  await settle()
  t.same(outcomes, ['unknown'])
  t.equal(cache.listeners, 0)
})

const noQuestions: readonly string[] = [
  '',
  'rubbish',
  '{}',
  '[]',
  'null',
  '{"nopal":2,"namespace":"default","pod":"p","network":null}',
  '{"nopal":1,"namespace":"../x","pod":"p","network":null}',
  '{"nopal":1,"namespace":"default","pod":"P","network":null}',
  '{"nopal":1,"namespace":"default","pod":"p","network":{"kind":"Secret","name":"a","namespace":null}}',
  '['.repeat(5000),
]

for (const line of noQuestions) {
  t.test(`no question: ${JSON.stringify(line.slice(0, 60))}`, async t => {
    const { text, outcome } = await answerLine(line, new FakeCache(), createFakeClock())
    t.same([outcome, text], ['bad', '{"nopal":1,"known":false}\n'])
  })
}
