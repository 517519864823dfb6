import t, { type Test } from 'tap'
import * as v from 'valibot'
import { type Change, type Informer, startInformer } from '../../../../agent/kube/informer.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { Collection } from './collection.ts'

const shape = v.object({ value: v.number() })

function start(t: Test, collection: Collection, random = () => 0.5) {
  const clock = createFakeClock()
  const log = createRecordingLogger()
  const seen = { parsed: 0, begun: 0 }
  const informer = startInformer({
    ...{ api: collection, path: '/api/v1/things', query: {}, clock, log, random },
    parse(body) {
      seen.parsed += 1
      const result = v.safeParse(shape, body)
      return result.success ? result.output.value : undefined
    },
    onBegin() {
      seen.begun += 1
    },
  })
  t.teardown(() => informer.stop())
  return { informer, clock, log, seen }
}

/** Until all that can go on has gone on: a list has several pages. */
async function rest(): Promise<void> {
  for (let i = 0; i < 20; i++) await settle()
}

/** A reader that keeps what it is told, and holds each change against what it knew. */
function replicate(t: Test, informer: Informer<number>) {
  const known = new Map<string, number>()
  const batches: (readonly Change<number>[])[] = []
  const stop = informer.subscribe(changes => {
    batches.push(changes)
    for (const { key, before, after } of changes) {
      if (before !== known.get(key)) t.fail(`${key}: ${before} -> ${after}, known ${known.get(key)}`)
      if (after === undefined) known.delete(key)
      else known.set(key, after)
    }
  })
  return { batches, stop, state: () => Object.fromEntries([...known].sort()) }
}

t.test('nothing is known, then all at once, then each change by its key', async t => {
  const collection = new Collection()
  collection.set('a', 1)
  collection.set('b', 2)
  const { informer } = start(t, collection)
  const reader = replicate(t, informer)
  t.equal(informer.synced(), false)
  t.same(reader.batches, [])
  await rest()
  t.equal(informer.synced(), true)
  t.equal(informer.current(), true)
  collection.set('a', 3)
  collection.set('c', 4)
  collection.remove('b')
  await rest()
  t.same(reader.batches, [
    [
      { key: 'a', before: undefined, after: 1 },
      { key: 'b', before: undefined, after: 2 },
    ],
    [{ key: 'a', before: 1, after: 3 }],
    [{ key: 'c', before: undefined, after: 4 }],
    [{ key: 'b', before: 2, after: undefined }],
  ])
  t.same([...informer.values()], [3, 4])
  t.equal(informer.get('b'), undefined)
})

t.test('where there is nothing, that is told too', async t => {
  const { informer } = start(t, new Collection())
  const reader = replicate(t, informer)
  await rest()
  t.same(reader.batches, [[]])
  t.same(replicate(t, informer).batches, [[]], 'to a late one as well')
})

t.test('many readers, one watch; one that comes late hears first of all that is there', async t => {
  const collection = new Collection()
  collection.set('a', 1)
  const { informer } = start(t, collection)
  const first = replicate(t, informer)
  await rest()
  collection.set('b', 2)
  await rest()
  const late = replicate(t, informer)
  t.equal(late.batches.length, 1, 'before anything else happens')
  collection.remove('a')
  await rest()
  t.same([first.state(), late.state()], [{ b: 2 }, { b: 2 }])
  t.equal(collection.streams, 1)
  t.equal(collection.requests.length, 1)
})

t.test('a reader that leaves hears no more, also when it leaves while others are told', async t => {
  const collection = new Collection()
  const { informer } = start(t, collection)
  await rest()
  let told = 0
  informer.subscribe(() => leave())
  const leave = informer.subscribe(() => {
    told += 1
  })
  t.equal(told, 1)
  collection.set('a', 1)
  await rest()
  t.equal(told, 1)
})

t.test('a reader that subscribes another while it is told: that one hears of it once', async t => {
  const collection = new Collection()
  const { informer } = start(t, collection)
  await rest()
  const inner: ReturnType<typeof replicate>[] = []
  let calls = 0
  informer.subscribe(() => {
    calls += 1
    if (calls === 2) inner.push(replicate(t, informer))
  })
  collection.set('a', 1)
  await rest()
  t.same(inner[0]?.batches, [[{ key: 'a', before: undefined, after: 1 }]])
})

t.test('a reader that throws is told of in the log; the watch and the others go on', async t => {
  const collection = new Collection()
  const { informer, log } = start(t, collection)
  informer.subscribe(() => {
    throw new Error('my own fault')
  })
  const good = replicate(t, informer)
  await rest()
  collection.set('a', 1)
  await rest()
  t.same(good.state(), { a: 1 })
  t.equal(collection.streams, 1)
  t.match(log.lines, [
    ['error', 'a reader of the watch failed', { err: { message: 'my own fault' } }],
    ['error', 'a reader of the watch failed', { err: { message: 'my own fault' } }],
  ])
})

t.test('a list in pages, all of one moment; never out of the cache', async t => {
  const collection = new Collection()
  for (let i = 0; i < 1_100; i++) collection.set(`n${i}`, i)
  const { informer } = start(t, collection)
  const reader = replicate(t, informer)
  await rest()
  t.same(reader.state(), collection.state)
  t.equal(reader.batches.length, 1, 'told once, not page by page')
  t.same(
    collection.requests.map(({ query }) => [query?.limit, query?.resourceVersion, query?.continue !== undefined]),
    [
      ['500', undefined, false],
      ['500', undefined, true],
      ['500', undefined, true],
    ],
  )
})

t.test(
  'a list whose moment is forgotten between two pages begins anew, after a pause; nothing known is lost',
  async t => {
    const collection = new Collection()
    for (let i = 0; i < 1_100; i++) collection.set(`n${i}`, i)
    const { informer, clock, seen } = start(t, collection)
    const reader = replicate(t, informer)
    await rest()
    const { request } = collection
    let forgets = 3
    collection.request = async function (asked) {
      const page = await request.call(this, asked)
      if (forgets-- > 0) this.forget()
      return page
    }
    collection.cut()
    collection.remove('n7')
    collection.forget()
    await rest()
    for (let i = 0; i < 5; i++) {
      t.equal(informer.synced(), true)
      await clock.advance(8_000)
      await rest()
    }
    t.same(reader.state(), collection.state)
    t.equal(reader.batches.length, 2)
    t.same(reader.batches[1], [{ key: 'n7', before: 7, after: undefined }])
    t.equal(collection.requests.length, 3 + 3 * 2 + 3, 'three that were cut after a page, and one whole')
    t.equal(seen.begun, 5)
  },
)

t.test('what a new list has as it was is no change and is not parsed again', async t => {
  const collection = new Collection()
  for (const name of ['a', 'b', 'c']) collection.set(name, 1)
  const { informer, clock, seen } = start(t, collection)
  const reader = replicate(t, informer)
  await rest()
  collection.cut()
  collection.set('b', 2)
  collection.remove('c')
  collection.forget()
  await clock.advance(8_000)
  await rest()
  await clock.advance(8_000)
  await rest()
  t.same(reader.batches.slice(1), [
    [
      { key: 'b', before: 1, after: 2 },
      { key: 'c', before: 1, after: undefined },
    ],
  ])
  t.equal(seen.parsed, 4)
})

for (const seed of [1, 2, 3, 4, 5, 6]) {
  t.test(`whatever happens, readers know in the end what the server has: seed ${seed}`, async t => {
    const random = randomFrom(seed)
    const collection = new Collection()
    for (let i = 0; i < 300; i++) collection.set(`n${i}`, i)
    const { informer, clock } = start(t, collection, random)
    const readers = [replicate(t, informer)]
    const happenings: Readonly<Record<string, () => unknown>> = {
      set: () => collection.set(`n${Math.floor(random() * 500)}`, random()),
      remove: () => collection.remove(`n${Math.floor(random() * 500)}`),
      cut: () => collection.cut(),
      forget: () => collection.forget(),
      come: () => readers.push(replicate(t, informer)),
      pass: () => clock.advance(random() * 400),
      settle,
    }
    const chances = [
      'set',
      'set',
      'set',
      'remove',
      'remove',
      'settle',
      'settle',
      'pass',
      'pass',
      'cut',
      'forget',
      'come',
    ]
    for (let i = 0; i < 600; i++) await happenings[chances[Math.floor(random() * chances.length)] ?? '']?.()
    for (let i = 0; i < 10; i++) {
      await clock.advance(8_000)
      await rest()
    }
    for (const reader of readers) t.same(reader.state(), collection.state)
    t.same(Object.fromEntries(Object.keys(collection.state).map(key => [key, informer.get(key)])), collection.state)
  })
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}
