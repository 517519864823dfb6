import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import { ignoresUnknown, parseCniArgs, printCniArgs } from '../../../../cni/spec/args.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

interface ParseCase {
  readonly name: string
  readonly text: string
  /** undefined = refused. */
  readonly want: readonly (readonly [string, string])[] | undefined
}

const parseCases: readonly ParseCase[] = [
  { name: 'nothing', text: '', want: [] },
  { name: 'one pair', text: 'IgnoreUnknown=1', want: [['IgnoreUnknown', '1']] },
  {
    name: 'as kubelet has it',
    text: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=p1',
    want: [
      ['K8S_POD_NAMESPACE', 'default'],
      ['K8S_POD_NAME', 'p1'],
    ],
  },
  { name: 'an empty value', text: 'K8S_POD_UID=', want: [['K8S_POD_UID', '']] },
  { name: 'the last of two wins', text: 'A=1;A=2', want: [['A', '2']] },
  { name: '__proto__ is a key like any other', text: '__proto__=x', want: [['__proto__', 'x']] },
  { name: 'no sign', text: 'A', want: undefined },
  { name: 'two signs', text: 'A=1=2', want: undefined },
  { name: 'no key', text: '=1', want: undefined },
  { name: 'a separator at the end', text: 'A=1;', want: undefined },
  { name: 'a separator alone', text: ';', want: undefined },
]

for (const { name, text, want } of parseCases) {
  t.test(`parse: ${name}`, async t => {
    if (want === undefined) t.throws(() => parseCniArgs(text), { name: 'CniError', code: 4 })
    else t.strictSame([...parseCniArgs(text)], want)
  })
}

t.test('a refused pair is quoted, not all of it', async t => {
  const error = await refusalOf(() => parseCniArgs(`${'x'.repeat(5000)}"`))
  t.equal(error.details, JSON.stringify('x'.repeat(80)))
})

interface PrintCase {
  readonly name: string
  readonly pairs: readonly (readonly [string, string])[]
  readonly want: string | undefined
}

const printCases: readonly PrintCase[] = [
  { name: 'none', pairs: [], want: '' },
  {
    name: 'in the order given',
    pairs: [
      ['B', '2'],
      ['A', ''],
    ],
    want: 'B=2;A=',
  },
  { name: 'a value that would become two pairs', pairs: [['A', '1;MAC']], want: undefined },
  { name: 'a value with a sign', pairs: [['A', 'b=c']], want: undefined },
  { name: 'a value with a NUL', pairs: [['A', 'b\u0000']], want: undefined },
  { name: 'a key with a sign', pairs: [['A=B', 'c']], want: undefined },
  { name: 'an empty key', pairs: [['', 'c']], want: undefined },
]

for (const { name, pairs, want } of printCases) {
  t.test(`print: ${name}`, async t => {
    if (want === undefined) t.throws(() => printCniArgs(pairs), { name: 'CniError', code: 4 })
    else t.equal(printCniArgs(pairs), want)
  })
}

for (const [value, want] of [
  ['1', true],
  ['true', true],
  ['TRUE', true],
  ['0', false],
  ['false', false],
  ['', false],
  ['yes', false],
] as const) {
  t.test(`IgnoreUnknown=${value} means ${want}`, async t => {
    t.equal(ignoresUnknown(parseCniArgs(`IgnoreUnknown=${value}`)), want)
  })
}

t.test('without IgnoreUnknown nothing is ignored', async t => {
  t.equal(ignoresUnknown(new Map()), false)
})

t.test('random text is refused with code 4, or printed again it reads the same', async t => {
  const random = randomInput(41)
  const make = () => random.text([...nastyPieces, 'A=1', 'B=', ';', ';', '='], 8)
  const readTwice = (text: string) => {
    const read = [...parseCniArgs(text)]
    if (text.includes('\u0000')) return
    deepStrictEqual([...parseCniArgs(printCniArgs(read))], read)
  }
  const { accepted, surprises } = tryMany(3000, make, readTwice, hasCode(4))
  t.strictSame(surprises, [])
  t.ok(accepted > 100, `${accepted} texts were accepted`)
})
