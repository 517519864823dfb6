import t from 'tap'
import { BoundedStore, type Kept } from '../../../../agent/lookup/store.ts'

const limits = { mostEach: 1000, mostInAll: 2500 }
const text = (body: unknown) => (typeof body === 'string' ? body : undefined)

/** Fills a store as a watch does: each object is admitted, then all are shown. */
function fill(store: BoundedStore<string>, bodies: Readonly<Record<string, unknown>>): void {
  const objects = new Map<string, Kept<string>>(Object.entries(bodies).map(([key, body]) => [key, store.admit(body)]))
  store.show(objects)
}

interface StoreCase {
  readonly name: string
  readonly bodies: Readonly<Record<string, unknown>>
  readonly key: string
  readonly current?: boolean
  readonly wanted: string
}

const cases: readonly StoreCase[] = [
  { name: 'an object', bodies: { a: 'x' }, key: 'a', wanted: 'object' },
  { name: 'an object, though the watch is cut', bodies: { a: 'x' }, key: 'a', current: false, wanted: 'object' },
  { name: 'none', bodies: { a: 'x' }, key: 'b', wanted: 'none' },
  { name: 'none, though there may be one by now', bodies: { a: 'x' }, key: 'b', current: false, wanted: 'nothing' },
  { name: 'there, and not to be understood', bodies: { a: 5 }, key: 'a', wanted: 'nothing' },
  { name: 'there, and too large', bodies: { a: 'x'.repeat(1000) }, key: 'a', wanted: 'nothing' },
  {
    name: 'one too many',
    bodies: { a: 'x'.repeat(700), b: 'x'.repeat(700), c: 'x'.repeat(700) },
    key: 'c',
    wanted: 'nothing',
  },
  {
    name: 'a small one after that',
    bodies: { a: 'x'.repeat(700), b: 'x'.repeat(700), c: 'x'.repeat(700), d: 'x' },
    key: 'd',
    wanted: 'object',
  },
  { name: 'a name that is a key of every object', bodies: {}, key: 'constructor', wanted: 'none' },
]

for (const { name, bodies, key, current = true, wanted } of cases) {
  t.test(name, async t => {
    const store = new BoundedStore(text, limits)
    fill(store, bodies)
    t.equal(store.find(key, current).known, wanted)
  })
}

t.test('room is free again when objects go, and counts what is left out', async t => {
  const store = new BoundedStore(text, limits)
  const large = 'x'.repeat(700)
  fill(store, { a: large, b: large, c: large })
  t.equal(store.left, 1)
  fill(store, {})
  t.equal(store.left, 0)
  fill(store, { d: large, e: large })
  t.match([store.find('d', true), store.find('e', true)], [{ value: large }, { value: large }])
})
