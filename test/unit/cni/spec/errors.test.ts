import t from 'tap'
import { CniCode, CniError, throwTogether, toCniError } from '../../../../cni/spec/errors.ts'

t.test('the codes of the specification and of its library', async t => {
  t.strictSame(Object.values(CniCode), [1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51, 999])
})

t.test('a CNI error stays itself', async t => {
  const error = new CniError(77, 'as the plugin said', { details: 'more' })
  t.equal(toCniError(error), error)
  t.match(error, { name: 'CniError', code: 77, message: 'as the plugin said', details: 'more' })
})

t.test('without a cause there is no key for one', async t => {
  t.notOk('cause' in new CniError(1, 'x'))
  const cause = new Error('why')
  t.equal(new CniError(1, 'x', { cause }).cause, cause)
})

interface OtherCase {
  readonly name: string
  readonly thrown: unknown
  readonly message: string
}

const otherCases: readonly OtherCase[] = [
  { name: 'another error', thrown: new TypeError('broken'), message: 'broken' },
  { name: 'a text', thrown: 'broken', message: 'broken' },
  { name: 'nothing', thrown: undefined, message: 'undefined' },
]

for (const { name, thrown, message } of otherCases) {
  t.test(`${name} becomes code 999 with its cause`, async t => {
    const error = toCniError(thrown)
    t.match(error, { name: 'CniError', code: 999, message })
    t.equal(error.cause, thrown)
  })
}

t.test('several failures are one: the code of the first, the words of all', async t => {
  t.doesNotThrow(() => throwTogether([]))
  const first = new CniError(60, 'one', { details: 'network a' })
  t.throws(() => throwTogether([first]), first)
  const others = [new CniError(61, 'two', { details: 'network b' }), new Error('three')]
  t.throws(() => throwTogether([first, ...others]), {
    code: 60,
    message: 'one; two; three',
    details: 'network a; network b',
  })
  t.throws(() => throwTogether(others.slice(1)), { code: 999, message: 'three', details: undefined })
})
