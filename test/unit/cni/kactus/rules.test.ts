import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { rulesOf } from '../../../../cni/kactus/rules.ts'
import { confOf, requestOf } from './fixtures.ts'

const log = { error: () => undefined, info: () => undefined, debug: () => undefined }

function rules(conf: Readonly<Record<string, unknown>> = {}, path = '/none') {
  return rulesOf({ conf: confOf(conf), request: requestOf('ADD', { path }), log })
}

interface ReaderCase {
  readonly name: string
  readonly delegates: readonly unknown[]
  readonly want: 'kactus' | 'multus'
}

const readerCases: readonly ReaderCase[] = [
  { name: 'another plugin', delegates: [{ type: 'bridge' }], want: 'kactus' },
  { name: 'multus', delegates: [{ type: 'multus', delegates: [{ type: 'bridge' }] }], want: 'multus' },
  { name: 'the one that calls its daemon', delegates: [{ type: 'multus-shim' }], want: 'multus' },
  { name: 'in a chain', delegates: [{ plugins: [{ type: 'portmap' }, { type: 'multus' }] }], want: 'multus' },
  {
    name: 'multus as the master of two',
    delegates: [
      { type: 'bridge', name: 'b' },
      { type: 'multus', masterPlugin: true },
    ],
    want: 'multus',
  },
  {
    name: 'multus, but not as the default network',
    delegates: [{ type: 'bridge' }, { type: 'multus', name: 'm' }],
    want: 'kactus',
  },
]

for (const { name, delegates, want } of readerCases) {
  t.test(`who reads multus' annotations: ${name}`, async t => {
    t.equal(rules({ delegates }).multusReader, want)
  })
}

t.test('what the configuration allows, and what is kactus under another name', async t => {
  const { shared, plugins } = rules({ sharedNamespaces: ['infra'], allowedPlugins: ['bridge'] })
  t.strictSame([shared, plugins.allowed], [['infra'], ['bridge']])
  const folder = t.testdir({ other: '' })
  symlinkSync(process.execPath, join(folder, 'link'))
  const { isKactus } = rules({}, `relative:/none:${folder}`).plugins
  t.strictSame(['link', 'other', 'absent', '../link'].map(isKactus), [true, false, false, false])
})
