import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { logLevelFrom, readConf, readDelegates } from '../../../../cni/kactus/config.ts'
import { versionAsked } from '../../../../cni/kactus/skel.ts'
import { type Json, printJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

const least = { name: 'kactus-net', cniVersion: '1.0.0' }

function text(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...least, ...more })
}

t.test('what is not said', async t => {
  const { document, ...conf } = readConf('{"name":"n"}')
  t.strictSame(conf, {
    name: 'n',
    cniVersion: '0.1.0',
    kubeconfig: undefined,
    cniDir: '/var/lib/cni/kactus',
    agentSocket: '/run/nopal/agent.sock',
    kubeletDir: '/var/lib/kubelet',
    sharedNamespaces: [],
    allowedPlugins: undefined,
    logLevel: undefined,
    logFile: undefined,
    runtimeConfig: {},
    prevResult: undefined,
  })
  t.strictSame(document, { name: 'n' })
})

interface KeyCase {
  readonly name: string
  readonly more: Readonly<Record<string, unknown>>
  readonly want: Readonly<Record<string, unknown>>
}

const keyCases: readonly KeyCase[] = [
  {
    name: 'paths',
    more: { kubeconfig: '/k', cniDir: '/c', kubeletDir: '/l', logFile: '/f' },
    want: { kubeconfig: '/k', cniDir: '/c', kubeletDir: '/l', logFile: '/f' },
  },
  {
    name: 'empty paths are none',
    more: { kubeconfig: '', cniDir: '', logFile: null },
    want: { kubeconfig: undefined, cniDir: '/var/lib/cni/kactus', logFile: undefined },
  },
  { name: 'no agent', more: { agentSocket: '' }, want: { agentSocket: '' } },
  { name: 'another agent', more: { agentSocket: '/a' }, want: { agentSocket: '/a' } },
  {
    name: 'an agent of null is the usual one',
    more: { agentSocket: null },
    want: { agentSocket: '/run/nopal/agent.sock' },
  },
  {
    name: 'shared namespaces',
    more: { sharedNamespaces: ['infra', 'team-2'], allowedPlugins: ['bridge'] },
    want: { sharedNamespaces: ['infra', 'team-2'], allowedPlugins: ['bridge'] },
  },
  { name: 'a level by name', more: { logLevel: 'info' }, want: { logLevel: 'info' } },
  { name: 'a level by number', more: { logLevel: 3 }, want: { logLevel: 'debug' } },
  { name: 'a level by the number as text', more: { logLevel: '1' }, want: { logLevel: 'error' } },
  {
    name: 'from the runtime',
    more: { runtimeConfig: { mac: 'x' }, prevResult: { ips: [] } },
    want: { runtimeConfig: { mac: 'x' }, prevResult: { ips: [] } },
  },
  { name: 'a version of null', more: { cniVersion: null }, want: { cniVersion: '0.1.0' } },
  { name: 'an empty version', more: { cniVersion: '' }, want: { cniVersion: '0.1.0' } },
]

for (const { name, more, want } of keyCases) {
  t.test(`configuration: ${name}`, async t => {
    t.match(readConf(text(more)), want)
  })
}

interface RefusedCase {
  readonly name: string
  readonly text: string
  readonly code: number
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'nothing', text: '', code: 6 },
  { name: 'no JSON', text: '{name: n}', code: 6 },
  { name: 'a list', text: '[]', code: 6 },
  { name: 'null', text: 'null', code: 6 },
  { name: 'a number', text: '1.0', code: 6 },
  { name: 'too deep', text: '{"a":'.repeat(1000), code: 6 },
  { name: 'no name', text: '{"cniVersion":"1.0.0"}', code: 7 },
  { name: 'an empty name', text: text({ name: '' }), code: 7 },
  { name: 'a name with a path', text: text({ name: '../x' }), code: 7 },
  { name: 'a name with a dash first', text: text({ name: '-x' }), code: 7 },
  { name: 'a name that is a number', text: text({ name: 5 }), code: 7 },
  { name: 'a bad name and a bad version: the name is first', text: text({ name: '', cniVersion: '9.9.9' }), code: 7 },
  { name: 'a version nobody knows', text: text({ cniVersion: '9.9.9' }), code: 1 },
  { name: 'a short version', text: text({ cniVersion: '0.4' }), code: 1 },
  { name: 'a version that is a number', text: text({ cniVersion: 5 }), code: 6 },
  { name: 'a version that is a list', text: text({ cniVersion: [] }), code: 6 },
  {
    name: 'a bad version and a bad path: the version is first',
    text: text({ cniVersion: '9.9.9', cniDir: 5 }),
    code: 1,
  },
  { name: 'a relative path', text: text({ cniDir: 'state' }), code: 7 },
  { name: 'a path with a NUL', text: text({ kubeconfig: '/a\u0000b' }), code: 7 },
  { name: 'a path that is a list', text: text({ logFile: ['/a'] }), code: 7 },
  { name: 'a relative socket', text: text({ agentSocket: 'run/agent.sock' }), code: 7 },
  { name: 'shared namespaces that are text', text: text({ sharedNamespaces: 'infra' }), code: 7 },
  { name: 'a shared namespace that is none', text: text({ sharedNamespaces: ['*'] }), code: 7 },
  { name: 'allowed plugins that are text', text: text({ allowedPlugins: 'bridge' }), code: 7 },
  { name: 'an allowed plugin that is a path', text: text({ allowedPlugins: ['/bin/sh'] }), code: 7 },
  { name: 'a level nobody knows', text: text({ logLevel: 'verbose' }), code: 7 },
  { name: 'a level of zero', text: text({ logLevel: 0 }), code: 7 },
  { name: 'a level that is an object', text: text({ logLevel: {} }), code: 7 },
  { name: 'a level that is a kept number', text: `{"name":"n","logLevel":1.0}`, code: 7 },
  { name: 'runtimeConfig that is a list', text: text({ runtimeConfig: [] }), code: 7 },
  { name: 'prevResult that is text', text: text({ prevResult: 'x' }), code: 7 },
]

for (const { name, text, code } of refusedCases) {
  t.test(`configuration refused: ${name}`, async t => {
    const error = await refusalOf(() => readConf(text))
    t.equal(error.code, code, error.message)
  })
}

interface AskedCase {
  readonly text: string
  readonly want: string | undefined
}

const askedCases: readonly AskedCase[] = [
  { text: '{"cniVersion":"0.3.1"}', want: '0.3.1' },
  { text: '{"cniVersion":"9.9.9"}', want: undefined },
  { text: '{"cniVersion":5}', want: undefined },
  { text: '{}', want: undefined },
  { text: '[]', want: undefined },
  { text: '', want: undefined },
  { text: '{', want: undefined },
]

for (const { text, want } of askedCases) {
  t.test(`version asked in ${JSON.stringify(text)}: ${want}`, async t => {
    t.equal(versionAsked(text), want)
  })
}

for (const [text, want] of [
  ['1', 'error'],
  ['2', 'info'],
  ['3', 'debug'],
  ['debug', 'debug'],
  ['4', undefined],
  ['', undefined],
  ['INFO', undefined],
  ['constructor', undefined],
] as const) {
  t.test(`level "${text}" is ${want}`, async t => {
    t.equal(logLevelFrom(text), want)
  })
}

interface DelegateCase {
  readonly name: string
  readonly delegates: unknown
  readonly want: readonly { readonly isMaster: boolean; readonly name: string; readonly version: string }[]
}

const delegateCases: readonly DelegateCase[] = [
  {
    name: 'one, without name or version',
    delegates: [{ type: 'bridge' }],
    want: [{ isMaster: true, name: 'kactus-net', version: '1.0.0' }],
  },
  {
    name: 'none says it is the master: the first',
    delegates: [{ type: 'a' }, { type: 'b', name: 'second' }],
    want: [
      { isMaster: true, name: 'kactus-net', version: '1.0.0' },
      { isMaster: false, name: 'second', version: '1.0.0' },
    ],
  },
  {
    name: 'one says so',
    delegates: [
      { type: 'a', name: 'first' },
      { type: 'b', masterPlugin: true },
    ],
    want: [
      { isMaster: false, name: 'first', version: '1.0.0' },
      { isMaster: true, name: 'kactus-net', version: '1.0.0' },
    ],
  },
  {
    name: 'the other spelling, as a word',
    delegates: [
      { type: 'a', name: 'first' },
      { type: 'b', masterplugin: 'true' },
    ],
    want: [
      { isMaster: false, name: 'first', version: '1.0.0' },
      { isMaster: true, name: 'kactus-net', version: '1.0.0' },
    ],
  },
  {
    name: 'a chain with a name and version of its own',
    delegates: [{ name: 'cbr0', cniVersion: '0.3.1', plugins: [{ type: 'a' }, { type: 'b' }] }],
    want: [{ isMaster: true, name: 'cbr0', version: '0.3.1' }],
  },
]

for (const { name, delegates, want } of delegateCases) {
  t.test(`delegates: ${name}`, async t => {
    const read = readDelegates(readConf(text({ delegates })))
    t.strictSame(
      read.map(({ isMaster, list }) => ({ isMaster, name: list.name, version: list.cniVersion })),
      want,
    )
    t.notOk(read.some(({ list }) => list.plugins.some(plugin => /masterplugin/i.test(printJson(plugin)))))
  })
}

interface BadDelegateCase {
  readonly name: string
  readonly delegates: unknown
  readonly code: number
}

const badDelegateCases: readonly BadDelegateCase[] = [
  { name: 'absent', delegates: undefined, code: 7 },
  { name: 'empty', delegates: [], code: 7 },
  { name: 'an object', delegates: {}, code: 7 },
  { name: 'text among them', delegates: [{ type: 'a' }, 'b'], code: 7 },
  { name: 'null', delegates: [null], code: 7 },
  {
    name: 'two masters',
    delegates: [
      { type: 'a', masterPlugin: true },
      { type: 'b', masterplugin: true },
    ],
    code: 7,
  },
  { name: 'a master that is neither', delegates: [{ type: 'a', masterPlugin: 'maybe' }], code: 7 },
  { name: 'a second one without a name', delegates: [{ type: 'a' }, { type: 'b' }], code: 7 },
  { name: 'a name with a path', delegates: [{ type: 'a', name: 'a/b' }], code: 7 },
  { name: 'a name that is a number', delegates: [{ type: 'a', name: 5 }], code: 7 },
  { name: 'no type', delegates: [{ name: 'a' }], code: 7 },
  { name: 'a type with a path', delegates: [{ type: '../../sh' }], code: 7 },
  { name: 'a version nobody knows', delegates: [{ type: 'a', cniVersion: '7.0.0' }], code: 1 },
]

for (const { name, delegates, code } of badDelegateCases) {
  t.test(`delegates refused: ${name}`, async t => {
    const conf = readConf(text({ delegates }))
    const error = await refusalOf(() => readDelegates(conf))
    t.equal(error.code, code, error.message)
  })
}

t.test('random configurations are read or refused with 1, 6 or 7', async t => {
  const random = randomInput(43)
  const keys = [
    'name',
    'cniVersion',
    'cniDir',
    'agentSocket',
    'sharedNamespaces',
    'allowedPlugins',
    'logLevel',
    'prevResult',
    'delegates',
  ]
  const make = () => {
    const document: Record<string, Json> = { ...least, delegates: [{ type: 'a' }] }
    for (const key of keys) if (random.below(6) === 0) document[key] = random.json(3)
    const whole = printJson(document)
    return random.below(3) === 0 ? random.damaged(whole) : whole
  }
  const { accepted, surprises } = tryMany(3000, make, text => void readDelegates(readConf(text)), hasCode(1, 6, 7))
  t.strictSame(surprises, [])
  t.ok(accepted > 200, `${accepted} were accepted`)
})

t.test('the conf that docs/by-hand.md shows', async t => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/by-hand.md'), 'utf8')
  const { plugins, ...list } = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '')
  const conf = readConf(JSON.stringify({ ...list, ...plugins[0] }))
  t.equal(conf.agentSocket, '')
  t.match(readDelegates(conf), [{ isMaster: true }])
})
