import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import {
  field,
  isJsonObject,
  isRawNumber,
  type Json,
  JsonError,
  type JsonSurvey,
  parseJson,
  printJson,
  sameJson,
  surveyJson,
  without,
} from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'

interface ExactCase {
  readonly name: string
  readonly text: string
}

const exactCases: readonly ExactCase[] = [
  { name: '2^53 + 1', text: '{"vlan":9007199254740993}' },
  { name: 'far beyond', text: '[123456789012345678901234567890]' },
  { name: 'a fraction of zero', text: '{"a":1.0}' },
  { name: 'an exponent', text: '[1e3,1E+3,-2e-7]' },
  { name: 'minus zero', text: '[-0]' },
  { name: 'more than a double holds', text: '[1e400]' },
  { name: 'many digits', text: '0.1000000000000000055511151231257827' },
  { name: 'plain numbers', text: '{"mtu":1450,"x":-1.5}' },
  { name: 'numbers in strings', text: '["9007199254740993"]' },
  { name: 'a key __proto__', text: '{"__proto__":{"polluted":true},"constructor":1}' },
  { name: 'escapes', text: '["\\"]}[{\\\\","\\u0000"]' },
  { name: 'a hundred levels', text: `${'['.repeat(100)}${']'.repeat(100)}` },
]

for (const { name, text } of exactCases) {
  t.test(`read and printed as it was: ${name}`, async t => {
    t.equal(printJson(parseJson(text)), text)
  })
}

interface SurveyCase {
  readonly name: string
  readonly text: string
  readonly want: Partial<JsonSurvey>
}

const surveyCases: readonly SurveyCase[] = [
  { name: 'nothing', text: '', want: { depth: 0, values: 1, isPlain: true } },
  { name: 'levels and values', text: '{"a":[1,2,{"b":null}]}', want: { depth: 3, values: 3, isPlain: true } },
  { name: 'a number to keep', text: '[1,[1.0]]', want: { depth: 2, isPlain: false } },
  { name: 'one that is negative', text: '[-0]', want: { isPlain: false } },
  { name: 'numbers that stay what they are', text: '[0,-1.5,1450,1e+21]', want: { values: 4, isPlain: true } },
  { name: 'what is in texts', text: '["[[[1.0,,", "\\\\", "\\"],1.0"]', want: { depth: 1, values: 3, isPlain: true } },
  { name: 'a text without end', text: '["\\\\\\"1.0,', want: { depth: 1, values: 1, isPlain: true } },
]

for (const { name, text, want } of surveyCases) {
  t.test(`survey: ${name}`, async t => {
    t.match(surveyJson(text), want)
  })
}

const junkCases: readonly ExactCase[] = [
  { name: 'nothing', text: '' },
  { name: 'half', text: '{"a":' },
  { name: 'more after the end', text: '{} {}' },
  { name: 'a trailing comma', text: '[1,]' },
  { name: 'single quotes', text: "{'a':1}" },
  { name: 'a bare word', text: 'kactus' },
  { name: 'NaN', text: '[NaN]' },
  { name: 'a string that does not end', text: '["abc' },
  { name: 'a lone backslash at the end', text: '["abc\\' },
  { name: 'too deep', text: `${'['.repeat(101)}${']'.repeat(101)}` },
  { name: 'too deep, of objects', text: `${'{"a":'.repeat(101)}1${'}'.repeat(101)}` },
  { name: 'so deep that a stack would end', text: '['.repeat(1_000_000) },
]

for (const { name, text } of junkCases) {
  t.test(`refused: ${name}`, async t => {
    t.throws(() => parseJson(text), { name: 'JsonError', code: 'BadJson' })
  })
}

t.test('brackets within strings are no nesting', async t => {
  const text = JSON.stringify('['.repeat(500))
  t.equal(parseJson(text), '['.repeat(500))
})

t.test('a key __proto__ changes no object', async t => {
  const document = parseJson('{"__proto__":{"polluted":true}}')
  t.ok(isJsonObject(document) && Object.getPrototypeOf(document) === Object.prototype)
  t.notOk('polluted' in Object.prototype)
  if (isJsonObject(document)) t.strictSame(field(document, '__proto__'), { polluted: true })
})

t.test('field sees own keys only', async t => {
  t.equal(field({}, 'toString'), undefined)
  t.equal(field({}, '__proto__'), undefined)
  t.equal(field({ a: null }, 'a'), null)
})

interface KindCase {
  readonly name: string
  readonly text: string
  readonly isObject: boolean
  readonly isRaw: boolean
}

const kindCases: readonly KindCase[] = [
  { name: 'an object', text: '{}', isObject: true, isRaw: false },
  { name: 'a list', text: '[]', isObject: false, isRaw: false },
  { name: 'null', text: 'null', isObject: false, isRaw: false },
  { name: 'a kept number', text: '1.0', isObject: false, isRaw: true },
  { name: 'a plain number', text: '1', isObject: false, isRaw: false },
  { name: 'an object that says it is a kept number', text: '{"rawJSON":"1"}', isObject: true, isRaw: false },
]

for (const { name, text, isObject, isRaw } of kindCases) {
  t.test(`kind: ${name}`, async t => {
    t.equal(isJsonObject(parseJson(text)), isObject)
    t.equal(isRawNumber(parseJson(text)), isRaw)
  })
}

t.test('without makes a copy that keeps __proto__', async t => {
  const document = parseJson('{"a":1,"__proto__":2,"b":3}')
  const rest = isJsonObject(document) ? without(document, key => key === 'a') : {}
  t.equal(printJson(rest), '{"__proto__":2,"b":3}')
})

interface SameCase {
  readonly name: string
  readonly a: Json | undefined
  readonly b: Json | undefined
  readonly want: boolean
}

const sameCases: readonly SameCase[] = [
  {
    name: 'other order of keys, inside too',
    a: { x: { a: 1, b: 2 }, y: 3 },
    b: { y: 3, x: { b: 2, a: 1 } },
    want: true,
  },
  { name: 'other order of a list', a: [1, 2], b: [2, 1], want: false },
  { name: 'a key more', a: { a: 1 }, b: { a: 1, b: null }, want: false },
  { name: 'both absent', a: undefined, b: undefined, want: true },
  { name: 'one absent', a: undefined, b: null, want: false },
  { name: 'number and text', a: 1, b: '1', want: false },
  { name: 'kept numbers, equal', a: parseJson('9007199254740993'), b: parseJson('9007199254740993'), want: true },
  {
    name: 'kept numbers that a double would merge',
    a: parseJson('9007199254740993'),
    b: parseJson('9007199254740992.0'),
    want: false,
  },
]

for (const { name, a, b, want } of sameCases) {
  t.test(`same: ${name}`, async t => {
    t.equal(sameJson(a, b), want)
    t.equal(sameJson(b, a), want)
  })
}

t.test('random documents come back as they went', async t => {
  const random = randomInput(7)
  const { accepted, surprises } = tryMany(
    1000,
    () => random.json(5),
    value => {
      deepStrictEqual(parseJson(printJson(value)), value)
    },
    () => false,
  )
  t.strictSame(surprises, [])
  t.equal(accepted, 1000)
})

t.test('damaged documents are refused as no JSON, or are JSON to the engine too', async t => {
  const random = randomInput(8)
  const make = () => random.damaged(printJson(random.json(4)))
  const { accepted, surprises } = tryMany(
    2000,
    make,
    text => {
      deepStrictEqual(JSON.parse(printJson(parseJson(text))), JSON.parse(text))
    },
    error => error instanceof JsonError,
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 100 && accepted < 2000, `${accepted} were accepted`)
})
