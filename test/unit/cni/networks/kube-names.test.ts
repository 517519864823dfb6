import t from 'tap'
import { isMac, isNamespaceName, isObjectName } from '../../../../cni/networks/kube-names.ts'

interface NameCase {
  readonly name: string
  readonly value: unknown
  readonly isNamespace: boolean
  readonly isObject: boolean
}

const cases: readonly NameCase[] = [
  { name: 'a word', value: 'green', isNamespace: true, isObject: true },
  { name: 'digits and dashes', value: '0-team-7', isNamespace: true, isObject: true },
  { name: 'dots', value: 'a.b', isNamespace: false, isObject: true },
  { name: '63 characters', value: 'a'.repeat(63), isNamespace: true, isObject: true },
  { name: '64 characters', value: 'a'.repeat(64), isNamespace: false, isObject: true },
  { name: '253 characters', value: 'a'.repeat(253), isNamespace: false, isObject: true },
  { name: '300 characters', value: 'a'.repeat(300), isNamespace: false, isObject: false },
  { name: 'nothing', value: '', isNamespace: false, isObject: false },
  { name: 'a dash first', value: '-a', isNamespace: false, isObject: false },
  { name: 'a dash last', value: 'a-', isNamespace: false, isObject: false },
  { name: 'dots without words', value: '..', isNamespace: false, isObject: false },
  { name: 'a dot last', value: 'a.', isNamespace: false, isObject: false },
  { name: 'a slash', value: 'a/b', isNamespace: false, isObject: false },
  { name: 'a capital', value: 'Green', isNamespace: false, isObject: false },
  { name: 'a line end', value: 'green\n', isNamespace: false, isObject: false },
  { name: 'a NUL', value: 'green\u0000', isNamespace: false, isObject: false },
  { name: 'a question mark', value: 'green?x=1', isNamespace: false, isObject: false },
  { name: 'a percent sign', value: 'a%2fb', isNamespace: false, isObject: false },
  { name: 'a separator', value: 'a;b=c', isNamespace: false, isObject: false },
  { name: '__proto__', value: '__proto__', isNamespace: false, isObject: false },
  { name: 'a number', value: 5, isNamespace: false, isObject: false },
  { name: 'a list', value: ['green'], isNamespace: false, isObject: false },
  { name: 'absent', value: undefined, isNamespace: false, isObject: false },
]

for (const { name, value, isNamespace, isObject } of cases) {
  t.test(`name: ${name}`, async t => {
    t.equal(isNamespaceName(value), isNamespace)
    t.equal(isObjectName(value), isObject)
  })
}

interface MacCase {
  readonly name: string
  readonly value: unknown
  readonly want: boolean
}

const macCases: readonly MacCase[] = [
  { name: 'small letters', value: '0a:58:0a:01:00:02', want: true },
  { name: 'capitals', value: '0A:58:0A:01:00:FE', want: true },
  { name: 'for a group', value: '01:00:5e:00:00:01', want: false },
  { name: 'for all', value: 'ff:ff:ff:ff:ff:ff', want: false },
  { name: 'none', value: '00:00:00:00:00:00', want: false },
  { name: 'dashes', value: '0a-58-0a-01-00-02', want: false },
  { name: 'too short', value: '0a:58:0a:01:00', want: false },
  { name: 'an InfiniBand address', value: '0a:58:0a:01:00:02:03:04', want: false },
  { name: 'a line end', value: '0a:58:0a:01:00:02\n', want: false },
  { name: 'a separator after it', value: '0a:58:0a:01:00:02;A=1', want: false },
  { name: 'no hex', value: '0g:58:0a:01:00:02', want: false },
  { name: 'empty', value: '', want: false },
  { name: 'a number', value: 1, want: false },
]

for (const { name, value, want } of macCases) {
  t.test(`hardware address: ${name}`, async t => {
    t.equal(isMac(value), want)
  })
}
