import t from 'tap'
import {
  atLeast,
  type CniVersion,
  DEFAULT_VERSION,
  isSupportedVersion,
  NEWEST_VERSION,
  newestOf,
  SUPPORTED_VERSIONS,
} from '../../../../cni/spec/versions.ts'

t.test('every released version, and no other', async t => {
  t.strictSame(SUPPORTED_VERSIONS, ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])
  t.equal(NEWEST_VERSION, '1.1.0')
  t.equal(DEFAULT_VERSION, '0.1.0')
})

for (const value of [
  '0.4',
  '1.0',
  '1.1.1',
  '1.2.0',
  '0.1',
  'v1.0.0',
  ' 1.0.0',
  '1.0.0 ',
  '',
  null,
  undefined,
  1,
  ['1.0.0'],
  {},
]) {
  t.test(`not understood: ${JSON.stringify(value)}`, async t => {
    t.notOk(isSupportedVersion(value))
  })
}

interface OrderCase {
  readonly version: CniVersion
  readonly other: CniVersion
  readonly want: boolean
}

const orderCases: readonly OrderCase[] = [
  { version: '0.3.1', other: '0.3.0', want: true },
  { version: '0.3.0', other: '0.3.1', want: false },
  { version: '1.0.0', other: '1.0.0', want: true },
  { version: '0.4.0', other: '1.0.0', want: false },
  { version: '1.1.0', other: '0.1.0', want: true },
]

for (const { version, other, want } of orderCases) {
  t.test(`${version} at least ${other}: ${want}`, async t => {
    t.equal(atLeast(version, other), want)
  })
}

interface NewestCase {
  readonly name: string
  readonly versions: readonly unknown[]
  readonly want: CniVersion | undefined
}

const newestCases: readonly NewestCase[] = [
  { name: 'in any order', versions: ['0.4.0', '1.0.0', '0.3.1'], want: '1.0.0' },
  { name: 'newer ones than we speak are passed over', versions: ['2.0.0', '1.1.0', '1.2.0'], want: '1.1.0' },
  { name: 'junk among them', versions: [null, 5, {}, '0.2.0'], want: '0.2.0' },
  { name: 'none that we speak', versions: ['2.0.0'], want: undefined },
  { name: 'none', versions: [], want: undefined },
]

for (const { name, versions, want } of newestCases) {
  t.test(`newest: ${name}`, async t => {
    t.equal(newestOf(versions), want)
  })
}
