import t from 'tap'
import { entriesOf, macOf, nameOf, quote } from '../../../../cni/networks/request.ts'
import { refusalOf } from '../refusal.ts'

t.test('entries: none in an empty text, an empty list and null', async t => {
  for (const text of ['', ' \t', 'null', '[]']) t.strictSame(entriesOf(text), [])
})

t.test('entries: objects only', async t => {
  t.strictSame(entriesOf('[{"a":1}]'), [{ a: 1 }])
  for (const text of ['{}', '5', '"x"', '[1]', '[null]', '[[]]', '[{}', 'x']) {
    t.equal((await refusalOf(() => entriesOf(text))).code, 7, text)
  }
})

t.test('a name without a namespace', async t => {
  t.strictSame(nameOf({ name: 'green' }), { name: 'green', namespace: undefined })
  t.strictSame(nameOf({ name: 'green', namespace: null }), { name: 'green', namespace: undefined })
  t.strictSame(nameOf({ name: 'green', namespace: 'team' }), { name: 'green', namespace: 'team' })
})

t.test('a hardware address in small letters, absent or refused', async t => {
  t.equal(macOf({ mac: '0A:00:00:00:00:0B' }, 'mac'), '0a:00:00:00:00:0b')
  t.equal(macOf({ mac: null }, 'mac'), undefined)
  t.equal(macOf({}, 'toString'), undefined)
  t.match(await refusalOf(() => macOf({ mac: 5 }, 'mac')), { code: 7, message: /"mac" is no hardware address: 5$/ })
})

t.test('a quotation is bounded and on one line', async t => {
  t.equal(quote('a"\nb'), '"a\\"\\nb"')
  t.equal(quote(undefined), 'null')
  t.equal(quote('x'.repeat(1000)).length, 80)
})
