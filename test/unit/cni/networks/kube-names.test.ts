import t from 'tap'
import { isNamespaceName, isObjectName, macFrom } from '../../../../cni/networks/kube-names.ts'

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
  readonly want?: string
}

const infiniband = '80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:ab:cd:ef'

const macCases: readonly MacCase[] = [
  { name: 'small letters', value: '0a:58:0a:01:00:02', want: '0a:58:0a:01:00:02' },
  { name: 'capitals', value: '0A:58:0A:01:00:FE', want: '0a:58:0a:01:00:fe' },
  { name: 'dashes', value: '0A-58-0a-01-00-02', want: '0a:58:0a:01:00:02' },
  { name: 'dots', value: '0A58.0a01.0002', want: '0a:58:0a:01:00:02' },
  { name: 'eight bytes', value: '02:58:0a:01:00:02:03:04', want: '02:58:0a:01:00:02:03:04' },
  { name: 'twenty bytes', value: infiniband, want: infiniband },
  { name: 'twenty bytes, dashes', value: infiniband.replaceAll(':', '-'), want: infiniband },
  { name: 'twenty bytes, dots', value: '8000.0208.fe80.0000.0000.0000.0002.c903.00ab.cdef', want: infiniband },
  { name: 'twenty bytes with flags', value: `81${infiniband.slice(2)}`, want: `81${infiniband.slice(2)}` },
  { name: 'for a group', value: '01:00:5e:00:00:01' },
  { name: 'for a group, dashes', value: '01-00-5e-00-00-01' },
  { name: 'for a group, dots', value: '0100.5e00.0001' },
  { name: 'for a group, eight bytes', value: '03:00:5e:00:00:01:00:01' },
  { name: 'for all', value: 'ff:ff:ff:ff:ff:ff' },
  { name: 'none', value: '00:00:00:00:00:00' },
  { name: 'none, twenty bytes', value: '0000.0000.0000.0000.0000.0000.0000.0000.0000.0000' },
  { name: 'mixed separators', value: '0a:58-0a:01:00:02' },
  { name: 'no separators', value: '0a580a010002' },
  { name: 'dots between pairs', value: '0a.58.0a.01.00.02' },
  { name: 'too short', value: '0a:58:0a:01:00' },
  { name: 'seven bytes', value: '0a:58:0a:01:00:02:03' },
  { name: 'twenty-one bytes', value: `${infiniband}:00` },
  { name: 'a line end', value: '0a:58:0a:01:00:02\n' },
  { name: 'a separator after it', value: '0a:58:0a:01:00:02;A=1' },
  { name: 'no hex', value: '0g:58:0a:01:00:02' },
  { name: 'empty', value: '' },
  { name: 'a number', value: 1 },
]

for (const { name, value, want } of macCases) {
  t.test(`hardware address: ${name}`, async t => {
    t.equal(macFrom(value), want)
  })
}
