import t from 'tap'
import { parseYaml, YamlError } from '../../../../cni/kactus/yaml.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'

interface ReadCase {
  readonly name: string
  readonly text: string
  readonly want: unknown
}

const readCases: readonly ReadCase[] = [
  { name: 'nothing', text: '', want: null },
  { name: 'comments alone', text: '# a\n\n  # b\n', want: null },
  { name: 'JSON', text: ' {"a":[1,"b"]}', want: { a: [1, 'b'] } },
  { name: 'a JSON list over lines', text: '[\n1,\n2]', want: [1, 2] },
  { name: 'plain values', text: 'a: b\nc: d e', want: { a: 'b', c: 'd e' } },
  { name: 'a document mark', text: '---\na: b', want: { a: 'b' } },
  { name: 'line ends of elsewhere', text: 'a: b\r\nc: d\r\n', want: { a: 'b', c: 'd' } },
  { name: 'an address', text: 'server: https://10.96.0.1:6443', want: { server: 'https://10.96.0.1:6443' } },
  { name: 'digits stay text', text: 'token: 00123\nport: 6443', want: { token: '00123', port: '6443' } },
  {
    name: 'words with a meaning',
    text: 'a: true\nb: false\nc: null\nd: ~\ne:',
    want: { a: true, b: false, c: null, d: null, e: null },
  },
  { name: 'words without one', text: 'a: True\nb: yes\nc: Null', want: { a: 'True', b: 'yes', c: 'Null' } },
  { name: 'double quotes', text: 'a: "x: y # z\\n"', want: { a: 'x: y # z\n' } },
  { name: 'single quotes', text: "a: 'it''s # so'", want: { a: "it's # so" } },
  {
    name: 'comments behind values',
    text: 'a: b # c\nd: "e" # f\ng: \'h\' # i\nj: # k',
    want: { a: 'b', d: 'e', g: 'h', j: null },
  },
  { name: 'a sign that begins no comment', text: 'a: b#c', want: { a: 'b#c' } },
  { name: 'quoted keys', text: '"a b": c\n\'d\': e', want: { 'a b': 'c', d: 'e' } },
  {
    name: 'a mapping inside',
    text: 'a:\n  b: c\n  d:\n    e: f\ng: h',
    want: { a: { b: 'c', d: { e: 'f' } }, g: 'h' },
  },
  { name: 'JSON inside', text: 'a: {"b": [1]}\nc: []\nd: {}', want: { a: { b: [1] }, c: [], d: {} } },
  { name: 'a list', text: '- a\n- b: c\n  d: e\n-\n  f: g\n- ', want: ['a', { b: 'c', d: 'e' }, { f: 'g' }, null] },
  {
    name: 'a list at the indentation of its key',
    text: 'a:\n- b: c\n- d\ne: f',
    want: { a: [{ b: 'c' }, 'd'], e: 'f' },
  },
  { name: 'a list further in', text: 'a:\n  - b\n  - c', want: { a: ['b', 'c'] } },
  { name: 'lists in lists', text: '- - a\n  - b\n- - c', want: [['a', 'b'], ['c']] },
  { name: 'an address in a list', text: '- https://a.test', want: ['https://a.test'] },
  { name: 'a key that begins with a dash', text: '-a: b', want: { '-a': 'b' } },
]

for (const { name, text, want } of readCases) {
  t.test(`read: ${name}`, async t => {
    t.strictSame(parseYaml(text), want)
  })
}

t.test('a key __proto__ is a key like any other', async t => {
  t.strictSame(Object.entries(parseYaml('__proto__:\n  a: b') as object), [['__proto__', { a: 'b' }]])
})

const SECRET = 'eyJsecret'

interface JunkCase {
  readonly name: string
  readonly text: string
}

const junkCases: readonly JunkCase[] = [
  { name: 'a tab', text: `a:\n\ttoken: ${SECRET}` },
  { name: 'no key', text: `a: b\n${SECRET}` },
  { name: 'a value over two lines', text: `token: a\n  ${SECRET}` },
  { name: 'a line that is indented less than the first', text: `  a: b\ntoken: ${SECRET}` },
  { name: 'a line that is indented between', text: `a:\n    b: c\n  token: ${SECRET}` },
  { name: 'a key twice', text: `token: a\ntoken: ${SECRET}` },
  { name: 'a quote that does not end', text: `token: '${SECRET}` },
  { name: 'a double quote that does not end', text: `token: "${SECRET}` },
  { name: 'text after a quote', text: `token: 'a' ${SECRET}` },
  { name: 'an anchor', text: `token: &a ${SECRET}` },
  { name: 'an alias', text: `token: *${SECRET}` },
  { name: 'a tag', text: `token: !!binary ${SECRET}` },
  { name: 'a block of text', text: `token: |\n  ${SECRET}` },
  { name: 'a folded block', text: `token: >-\n  ${SECRET}` },
  { name: 'a list without quotes in brackets', text: `token: [${SECRET}]` },
  { name: 'a mapping without quotes in braces', text: `user: {token: ${SECRET}}` },
  { name: 'two documents', text: `a: b\n---\ntoken: ${SECRET}` },
  { name: 'a document mark with more on its line', text: `--- {"token":"${SECRET}"}` },
  { name: 'a directive', text: `%YAML 1.2\n---\ntoken: ${SECRET}` },
  { name: 'JSON that breaks off', text: `{"token":"${SECRET}"` },
  { name: 'a list item in a mapping', text: `a: b\n- ${SECRET}` },
  { name: 'a key in a list', text: `- a\ntoken: ${SECRET}` },
  {
    name: 'levels without end',
    text: Array.from({ length: 200 }, (_none, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  },
  { name: 'lists without end', text: '- '.repeat(2000) },
]

for (const { name, text } of junkCases) {
  t.test(`refused, and nothing of it quoted: ${name}`, async t => {
    const error = caught(text)
    t.equal(error.code, 'BadYaml')
    t.match(error.message, /^line \d+ /)
    t.notMatch(error.message, SECRET)
  })
}

t.test('random text is read or refused', async t => {
  const random = randomInput(61)
  const whole = 'apiVersion: v1\nclusters:\n- name: a\n  cluster:\n    server: "https://a"\nusers: []\n'
  const pieces: readonly [string, ...string[]] = [...nastyPieces, 'a: b\n', '- ', '  ', '\n', "'", '"']
  const make = () => random.pick([random.damaged(random.damaged(whole)), random.text(pieces, 12)])
  const { accepted, surprises } = tryMany(
    5000,
    make,
    text => void parseYaml(text),
    error => error instanceof YamlError,
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 200, `${accepted} were accepted`)
})

function caught(text: string): YamlError {
  try {
    parseYaml(text)
  } catch (error) {
    if (error instanceof YamlError) return error
    throw error
  }
  throw new Error('it was not refused')
}
