import t from 'tap'
import { Allowance, type Kept, sightOf } from '../../../../agent/lookup/allowance.ts'

const limits = { mostEach: 1000, mostInAll: 2500 }
const text = (body: unknown) => (typeof body === 'string' ? body : undefined)

/** A collection as an informer keeps it: all that is there is admitted, then told. */
function collection() {
  const allowance = new Allowance(text, limits)
  let known = new Map<string, Kept<string>>()
  return {
    allowance,
    find: (key: string, current: boolean) => sightOf(known.get(key), current),
    fill(bodies: Readonly<Record<string, unknown>>) {
      allowance.begin()
      const told = new Map(Object.entries(bodies).map(([key, body]) => [key, allowance.admit(body)]))
      const keys = [...new Set([...known.keys(), ...told.keys()])]
      allowance.take(keys.map(key => ({ key, before: known.get(key), after: told.get(key) })))
      known = told
    },
  }
}

interface StoreCase {
  readonly name: string
  readonly bodies: Readonly<Record<string, unknown>>
  readonly key: string
  readonly current?: boolean
  readonly wanted: string
}

const cases: readonly StoreCase[] = [
  { name: 'an object', bodies: { a: 'x' }, key: 'a', wanted: 'known' },
  { name: 'an object, though the watch is cut', bodies: { a: 'x' }, key: 'a', current: false, wanted: 'known' },
  { name: 'none', bodies: { a: 'x' }, key: 'b', wanted: 'absent' },
  { name: 'none, though there may be one by now', bodies: { a: 'x' }, key: 'b', current: false, wanted: 'unknown' },
  { name: 'there, and not to be understood', bodies: { a: 5 }, key: 'a', wanted: 'unknown' },
  { name: 'there, and too large', bodies: { a: 'x'.repeat(1000) }, key: 'a', wanted: 'unknown' },
  {
    name: 'one too many',
    bodies: { a: 'x'.repeat(700), b: 'x'.repeat(700), c: 'x'.repeat(700) },
    key: 'c',
    wanted: 'unknown',
  },
  {
    name: 'a small one after that',
    bodies: { a: 'x'.repeat(700), b: 'x'.repeat(700), c: 'x'.repeat(700), d: 'x' },
    key: 'd',
    wanted: 'known',
  },
  { name: 'a name that is a key of every object', bodies: {}, key: 'constructor', wanted: 'absent' },
]

for (const { name, bodies, key, current = true, wanted } of cases) {
  t.test(name, async t => {
    const store = collection()
    store.fill(bodies)
    t.equal(store.find(key, current).state, wanted)
  })
}

t.test('room is free again when objects go, and counts what is left out', async t => {
  const store = collection()
  const large = 'x'.repeat(700)
  store.fill({ a: large, b: large, c: large })
  t.equal(store.allowance.left, 1)
  store.fill({})
  t.equal(store.allowance.left, 0)
  store.fill({ d: large, e: large })
  t.match([store.find('d', true), store.find('e', true)], [{ value: large }, { value: large }])
})

t.test('what was admitted for a list that was cut does not take room from the next one', async t => {
  const store = collection()
  store.allowance.admit('x'.repeat(700))
  store.allowance.admit('x'.repeat(700))
  store.fill({ a: 'x'.repeat(700), b: 'x'.repeat(700) })
  t.equal(store.allowance.left, 0)
})

t.test('a change takes the room of what was there before', async t => {
  const store = collection()
  for (let i = 0; i < 10; i++) store.fill({ a: 'x'.repeat(700) + i })
  t.equal(store.find('a', true).state, 'known')
  store.fill({ a: 5 })
  t.equal(store.allowance.left, 1)
  store.fill({ a: 'x' })
  t.equal(store.allowance.left, 0)
})
