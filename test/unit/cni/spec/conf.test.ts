import t from 'tap'
import { confListFrom, flag, pluginFrom } from '../../../../cni/spec/conf.ts'
import { isJsonObject, type JsonObject, parseJson, printJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

const bridge = { type: 'bridge' }

interface ListCase {
  readonly name: string
  readonly text: string
  readonly want: unknown
}

const listCases: readonly ListCase[] = [
  {
    name: 'a list of plugins',
    text: '{"name":"n","cniVersion":"1.0.0","plugins":[{"type":"bridge","mtu":1450},{"type":"portmap"}]}',
    want: {
      name: 'n',
      cniVersion: '1.0.0',
      disableCheck: false,
      disableGC: false,
      plugins: [{ type: 'bridge', mtu: 1450 }, { type: 'portmap' }],
    },
  },
  {
    name: 'one plugin',
    text: '{"name":"n","cniVersion":"0.4.0","type":"bridge"}',
    want: { cniVersion: '0.4.0', plugins: [{ name: 'n', cniVersion: '0.4.0', type: 'bridge' }] },
  },
  { name: 'without a version', text: '{"name":"n","type":"a"}', want: { cniVersion: '0.1.0' } },
  { name: 'with a version of null', text: '{"name":"n","type":"a","cniVersion":null}', want: { cniVersion: '0.1.0' } },
  { name: 'with an empty version', text: '{"name":"n","type":"a","cniVersion":""}', want: { cniVersion: '0.1.0' } },
  {
    name: 'several versions: the newest we speak',
    text: '{"name":"n","type":"a","cniVersion":"0.3.1","cniVersions":["0.4.0","1.1.0","9.0.0"]}',
    want: { cniVersion: '1.1.0' },
  },
  {
    name: 'several versions: the single one counts too',
    text: '{"name":"n","type":"a","cniVersion":"1.0.0","cniVersions":["0.4.0"]}',
    want: { cniVersion: '1.0.0' },
  },
  {
    name: 'flags as words',
    text: '{"name":"n","type":"a","disableCheck":"True","disableGC":true}',
    want: { disableCheck: true, disableGC: true },
  },
]

for (const { name, text, want } of listCases) {
  t.test(`list: ${name}`, async t => {
    t.match(confListFrom(document(text)), want)
  })
}

interface JunkCase {
  readonly name: string
  readonly text: string
  readonly code: number
}

const junkCases: readonly JunkCase[] = [
  { name: 'no name', text: '{"type":"a"}', code: 7 },
  { name: 'a name that is a number', text: '{"name":5,"type":"a"}', code: 7 },
  { name: 'an empty name', text: '{"name":"","type":"a"}', code: 7 },
  { name: 'a name with a path in it', text: '{"name":"../x","type":"a"}', code: 7 },
  { name: 'a name of 300 characters', text: `{"name":"${'a'.repeat(300)}","type":"a"}`, code: 7 },
  { name: 'a version nobody knows', text: '{"name":"n","type":"a","cniVersion":"9.9.9"}', code: 1 },
  { name: 'a version that is a list', text: '{"name":"n","type":"a","cniVersion":[]}', code: 1 },
  {
    name: 'versions nobody knows',
    text: '{"name":"n","type":"a","cniVersion":"9.0.0","cniVersions":["9.1.0"]}',
    code: 1,
  },
  { name: 'neither type nor plugins', text: '{"name":"n"}', code: 7 },
  { name: 'plugins that are no list', text: '{"name":"n","plugins":{}}', code: 7 },
  { name: 'no plugins', text: '{"name":"n","plugins":[]}', code: 7 },
  { name: 'a plugin that is no object', text: '{"name":"n","plugins":["bridge"]}', code: 7 },
  { name: 'a plugin of null', text: '{"name":"n","plugins":[null]}', code: 7 },
  { name: 'a type with a path in it', text: '{"name":"n","type":"../bridge"}', code: 7 },
  { name: 'a type that is a kept number', text: '{"name":"n","type":9007199254740993}', code: 7 },
  { name: 'a type that is an object', text: '{"name":"n","type":{"toString":1,"valueOf":1}}', code: 7 },
  { name: 'a type only by inheritance', text: '{"name":"n","__proto__":{"type":"bridge"}}', code: 7 },
  { name: 'a flag that is neither', text: '{"name":"n","type":"a","disableCheck":"yes"}', code: 7 },
  { name: 'a flag that is a number', text: '{"name":"n","type":"a","disableGC":1}', code: 7 },
]

for (const { name, text, code } of junkCases) {
  t.test(`refused: ${name}`, async t => {
    const error = await refusalOf(() => confListFrom(document(text)))
    t.equal(error.code, code, error.message)
  })
}

t.test('further plugins run after those of the document', async t => {
  const list = confListFrom({ name: 'n', plugins: [bridge] }, [{ type: 'tuning' }])
  t.strictSame(
    list.plugins.map(({ type }) => type),
    ['bridge', 'tuning'],
  )
  t.equal(confListFrom({ name: 'n', plugins: [] }, [bridge]).plugins.length, 1)
})

t.test('a plugin keeps keys nobody knows and numbers to the last digit', async t => {
  const text = '{"type":"a","x":9007199254740993,"__proto__":1.0}'
  t.equal(printJson(pluginFrom(parseJson(text))), text)
})

t.test('a flag that is absent is false', async t => {
  t.equal(flag({}, 'constructor'), false)
  t.equal(flag({ a: null }, 'a'), false)
  t.equal(flag({ a: 'FALSE' }, 'a'), false)
})

t.test('random documents are read or refused with 1 or 7', async t => {
  const random = randomInput(11)
  const make = (): JsonObject => ({
    name: random.pick(['n', random.json(1)]),
    ...(random.below(2) === 0 ? { type: random.pick(['bridge', random.json(1)]) } : {}),
    ...(random.below(2) === 0 ? { plugins: random.pick([[bridge], [random.json(2)], random.json(2)]) } : {}),
    ...(random.below(3) === 0 ? { cniVersion: random.pick(['1.0.0', random.json(1)]) } : {}),
    ...(random.below(3) === 0 ? { cniVersions: random.json(2) } : {}),
  })
  const { accepted, surprises } = tryMany(
    3000,
    make,
    document => {
      const list = confListFrom(document)
      if (list.plugins.some(({ type }) => type.includes('/'))) throw new Error('a path was taken for a type')
    },
    hasCode(1, 7),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 100, `${accepted} were accepted`)
})

function document(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!isJsonObject(parsed)) throw new Error('the row holds no object')
  return parsed
}
