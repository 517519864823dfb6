import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { ItemReader } from '../../../../agent/kube/item-reader.ts'
import { createRandom } from '../verify/seeded-random.ts'

/** Reads a text that comes in pieces of that length. */
function read(text: string, length = text.length) {
  const items: unknown[] = []
  const reader = new ItemReader(item => items.push(item))
  for (let at = 0; at < text.length; at += length) reader.push(text.slice(at, at + length))
  return { frame: reader.end(), items }
}

interface ListCase {
  readonly name: string
  readonly text: string
  readonly frame: unknown
  readonly items: readonly unknown[]
}

const metadata = { resourceVersion: '7' }
const cases: readonly ListCase[] = [
  {
    name: 'as built-in kinds are listed',
    text: '{"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":[{"a":{"b":[{"c":1}]}},{"a":2}]}',
    frame: { kind: 'NodeList', metadata, items: [] },
    items: [{ a: { b: [{ c: 1 }] } }, { a: 2 }],
  },
  {
    name: 'as own kinds are: by the letters of their keys',
    text: '{"apiVersion":"x/v1","items":[{"a":1}],"kind":"XList","metadata":{"resourceVersion":"7"}}\n',
    frame: { apiVersion: 'x/v1', items: [], kind: 'XList', metadata },
    items: [{ a: 1 }],
  },
  {
    name: 'with white space',
    text: '{\n  "items" : [\n    { "a" : 1 } ,\n    { }\n  ] ,\n  "metadata" : { "resourceVersion" : "7" }\n}',
    frame: { items: [], metadata },
    items: [{ a: 1 }, {}],
  },
  { name: 'none', text: '{"items":[],"metadata":{}}', frame: { items: [], metadata: {} }, items: [] },
  { name: 'null', text: '{"items":null}', frame: { items: null }, items: [] },
  { name: 'no items', text: '{"metadata":{}}', frame: { metadata: {} }, items: [] },
  {
    name: 'brackets, quotes and backslashes in texts',
    text: String.raw`{"items":[{"a":"}]\"{[\\","b\"]":"\\\\\""},{"c":"\\"}]}`,
    frame: { items: [] },
    items: [{ a: '}]"{[\\', 'b"]': '\\\\"' }, { c: '\\' }],
  },
  {
    name: 'other things that are called items, and other lists',
    text: String.raw`{"a\"items":[1],"x":[{"items":[2]}],"y":{"items":[3]},"z":"items","items":[{"items":[{"d":4}]}]}`,
    frame: { 'a"items': [1], x: [{ items: [2] }], y: { items: [3] }, z: 'items', items: [] },
    items: [{ items: [{ d: 4 }] }],
  },
  {
    name: 'letters of all sizes',
    text: '{"items":[{"ä":"💥 naïve"}]}',
    frame: { items: [] },
    items: [{ ä: '💥 naïve' }],
  },
]

for (const { name, text, frame, items } of cases) {
  t.test(name, async t => {
    for (let length = 1; length <= text.length; length++) {
      const { frame: gotFrame, items: gotItems } = read(text, length)
      if (length === 1 || length === text.length) {
        t.same(gotFrame, frame)
        t.same(gotItems, items)
      } else if (JSON.stringify([gotFrame, gotItems]) !== JSON.stringify([frame, items]))
        t.fail(`in pieces of ${length}`)
    }
  })
}

for (const text of [
  '',
  'null x',
  '<html>',
  '{"items":[1]}',
  '{"items":["{}"]}',
  '{"items":[{}{}]}',
  '{"items":[,{}]}',
  '{"items":[{},]}',
  '{"items":[{},,{}]}',
  '{"items":[null,{}]}',
  '{"items":[{"a":1}',
  '{"items":[{"a":1]]}',
  '{"items":[{"a":}]}',
  '{"items":[{"a":"',
  '{"items":[]}}',
  ']]]{"items":[]}',
]) {
  t.test(`no list: ${text}`, async t => {
    t.throws(() => read(text), { code: 'BadReply' })
    t.throws(() => read(text, 1), { code: 'BadReply' })
  })
}

t.test('an object without end is not kept', async t => {
  const reader = new ItemReader(() => t.fail('there is none'))
  reader.push('{"items":[{"a":"')
  t.throws(
    () => {
      for (let i = 0; i < 100; i++) reader.push('x'.repeat(2 ** 20))
    },
    { code: 'BadReply' },
  )
})

t.test('what the taker throws ends it', async t => {
  const reader = new ItemReader(() => {
    throw new KubeError('BadReply', 'not mine')
  })
  t.throws(() => reader.push('{"items":[{}]}'), { message: 'not mine' })
})

t.test('random lists in random pieces, whole or damaged, are read as JSON.parse reads them, or refused', async t => {
  const faults: string[] = []
  const letters = ['{', '}', '[', ']', '"', '\\', ',', ':', 'a', 'items', ' ', 'é']
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = createRandom(seed)
    const text = () => Array.from({ length: random(6) }, () => letters[random(letters.length)]).join('')
    const value = (depth: number): unknown => {
      if (depth > 3 || random(3) === 0) return [text(), null, true, -1.5, {}, []][random(6)]
      if (random(3) === 0) return Array.from({ length: random(3) }, () => value(depth + 1))
      return object(depth)
    }
    const object = (depth: number) =>
      Object.fromEntries(Array.from({ length: random(4) }, () => [text(), value(depth + 1)]))
    const items = Array.from({ length: random(5) }, () => object(0))
    const frame = { ...object(0), metadata: object(1), ...(random(9) === 0 ? {} : { items }) }
    const whole = JSON.stringify(frame, undefined, random(3))
    const cut = random(whole.length)
    const damaged = random(3) === 0 ? whole.slice(0, cut) + whole.slice(cut + random(4)) : whole
    const fault = compare(damaged, 1 + random(9))
    if (fault !== undefined) faults.push(`seed ${seed}: ${fault}: ${damaged}`)
  }
  t.same(faults, [])
})

/** What is wrong with how a text is read. */
function compare(text: string, length: number): string | undefined {
  try {
    const { frame, items } = read(text, length)
    const whole = JSON.parse(text) as { items?: unknown }
    const listed = Array.isArray(whole.items) ? whole.items : []
    const taken = Array.isArray(whole.items) ? { ...whole, items: [] } : whole
    if (JSON.stringify(frame) !== JSON.stringify(taken)) return 'another frame'
    return JSON.stringify(items) === JSON.stringify(listed) ? undefined : 'other items'
  } catch (error) {
    if (!(error instanceof KubeError)) return String(error)
    return isList(text) ? `refused (${error.message})` : undefined
  }
}

function isList(text: string): boolean {
  try {
    const { items } = JSON.parse(text) as { items?: unknown }
    return (
      Array.isArray(items) && items.every(item => typeof item === 'object' && item !== null && !Array.isArray(item))
    )
  } catch {
    return false
  }
}
