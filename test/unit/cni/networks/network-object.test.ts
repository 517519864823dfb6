import t from 'tap'
import { MAX_CONFIG_VALUES } from '../../../../cni/networks/bounds.ts'
import { confListOf, networkFrom, RESOURCE_ANNOTATION } from '../../../../cni/networks/network-object.ts'
import type { NetworkKind } from '../../../../cni/networks/request.ts'
import { printJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

function object(spec: unknown, metadata: Readonly<Record<string, unknown>> = {}): unknown {
  return { metadata: { namespace: 'default', name: 'green', ...metadata }, spec }
}

interface ListCase {
  readonly name: string
  readonly kind?: NetworkKind
  readonly spec: unknown
  readonly want: unknown
}

const listCases: readonly ListCase[] = [
  {
    name: 'the configuration says all',
    spec: { config: '{"cniVersion":"0.4.0","name":"mynet","type":"bridge","mtu":1450}' },
    want: {
      name: 'mynet',
      cniVersion: '0.4.0',
      plugins: [{ name: 'mynet', cniVersion: '0.4.0', type: 'bridge', mtu: 1450, networkName: 'green' }],
    },
  },
  {
    name: 'name, version and plugin come from elsewhere',
    spec: { plugin: 'bridge', config: '{"mtu":1450}' },
    want: { name: 'green', cniVersion: '1.0.0', plugins: [{ type: 'bridge', mtu: 1450, networkName: 'green' }] },
  },
  { name: 'only a plugin', spec: { plugin: 'bridge' }, want: { name: 'green', plugins: [{ type: 'bridge' }] } },
  {
    name: 'a configuration of white space',
    spec: { plugin: 'bridge', config: ' ' },
    want: { plugins: [{ type: 'bridge' }] },
  },
  {
    name: 'an empty name and a version of null are none',
    spec: { config: '{"name":"","cniVersion":null,"type":"bridge"}' },
    want: { name: 'green', cniVersion: '1.0.0' },
  },
  {
    name: 'the type of the configuration wins',
    spec: { plugin: 'macvlan', config: '{"type":"bridge"}' },
    want: { plugins: [{ type: 'bridge' }] },
  },
  {
    name: 'a chain',
    spec: { plugin: 'ignored', config: '{"plugins":[{"type":"bridge"},{"type":"tuning"}]}' },
    want: { plugins: [{ type: 'bridge' }, { type: 'tuning' }] },
  },
]

for (const { name, kind = 'Network', spec, want } of listCases) {
  t.test(`plugins: ${name}`, async t => {
    t.match(confListOf(networkFrom(kind, object(spec)), '1.0.0'), want)
  })
}

t.test("multus' objects carry no networkName", async t => {
  const list = confListOf(networkFrom('NetworkAttachmentDefinition', object({ config: '{"type":"bridge"}' })), '1.0.0')
  t.notOk('networkName' in (list.plugins[0] ?? {}))
})

t.test('numbers keep their digits', async t => {
  const config = '{"type":"bridge","vlan":9007199254740993,"rate":1.0}'
  const list = confListOf(networkFrom('NetworkAttachmentDefinition', object({ config })), '1.0.0')
  t.match(printJson(list.plugins[0] ?? null), /"vlan":9007199254740993,"rate":1\.0/)
})

t.test('the resource of a device', async t => {
  const read = (value: unknown) =>
    networkFrom('Network', object({ plugin: 'a' }, { annotations: { [RESOURCE_ANNOTATION]: value } })).resourceName
  t.equal(read('vendor.test/nic'), 'vendor.test/nic')
  t.equal(read(''), undefined)
  t.equal(networkFrom('Network', object({ plugin: 'a' })).resourceName, undefined)
  for (const name of [5, {}, 'a/b/c', 'a b', `${'a'.repeat(70)}`, '/nic', 'vendor.test/']) {
    const error = await refusalOf(() => read(name))
    t.equal(error.code, 7, JSON.stringify(name))
    t.match(error.message, /resourceName is no name of a resource/)
  }
})

interface RefusedCase {
  readonly name: string
  readonly value: unknown
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'nothing', value: undefined },
  { name: 'text', value: 'green' },
  { name: 'a list', value: [] },
  { name: 'no metadata', value: { spec: {} } },
  { name: 'a name with a path', value: object({}, { name: '../x' }) },
  { name: 'no namespace', value: object({}, { namespace: undefined }) },
  { name: 'a configuration that is an object', value: object({ config: { type: 'bridge' } }) },
  { name: 'a configuration that is no JSON', value: object({ config: '{type: bridge}' }) },
  { name: 'a configuration that is a list', value: object({ config: '[]' }) },
  { name: 'a configuration that is too deep', value: object({ config: '{"a":'.repeat(500) }) },
  {
    name: 'a configuration of 64 KiB and one byte',
    value: object({ config: `{"type":"a"}${' '.repeat(64 * 1024 - 11)}` }),
  },
  { name: 'one of as many bytes in fewer characters', value: object({ config: `{"a":"${'é'.repeat(33 * 1024)}"}` }) },
  { name: 'names by inheritance', value: Object.create({ metadata: { namespace: 'default', name: 'green' } }) },
]

for (const { name, value } of refusedCases) {
  t.test(`no network: ${name}`, async t => {
    t.equal((await refusalOf(() => networkFrom('Network', value))).code, 7)
  })
}

interface EmptyCase {
  readonly name: string
  readonly kind: NetworkKind
  readonly value: unknown
  readonly fault: RegExp
}

const attachment = /^NetworkAttachmentDefinition default\/green: has no "spec.config"$/
const emptyCases: readonly EmptyCase[] = [
  { name: 'no spec', kind: 'NetworkAttachmentDefinition', value: object(undefined), fault: attachment },
  { name: 'a spec of null', kind: 'NetworkAttachmentDefinition', value: object(null), fault: attachment },
  { name: 'an empty spec', kind: 'NetworkAttachmentDefinition', value: object({}), fault: attachment },
  { name: 'an empty config', kind: 'NetworkAttachmentDefinition', value: object({ config: '' }), fault: attachment },
  {
    name: 'a config of spaces',
    kind: 'NetworkAttachmentDefinition',
    value: object({ config: ' \n' }),
    fault: attachment,
  },
  {
    name: "a plugin, which is none of this kind's keys",
    kind: 'NetworkAttachmentDefinition',
    value: object({ plugin: 'bridge' }),
    fault: attachment,
  },
  {
    name: 'a Network without anything',
    kind: 'Network',
    value: object({}),
    fault: /^Network default\/green: has no "spec.config" and no "spec.plugin"$/,
  },
]

for (const { name, kind, value, fault } of emptyCases) {
  t.test(`nothing to run: ${name}`, async t => {
    const error = await refusalOf(() => networkFrom(kind, value))
    t.equal(error.code, 7)
    t.match(error.message, fault)
  })
}

t.test('a configuration may be 64 KiB and a chain 16 plugins, and not more', async t => {
  const whole = `{"type":"a"}${' '.repeat(64 * 1024 - 12)}`
  t.equal(networkFrom('Network', object({ config: whole })).size, 64 * 1024)
  const values = (count: number) => `{"type":"a","x":[${Array(count).fill('[]').join()}]}`
  t.ok(networkFrom('Network', object({ config: values(MAX_CONFIG_VALUES - 4) })).size <= 64 * 1024)
  const dense = object({ config: values(MAX_CONFIG_VALUES + 1) })
  t.match((await refusalOf(() => networkFrom('Network', dense))).message, `${MAX_CONFIG_VALUES} values`)
  const chain = (length: number) => JSON.stringify({ plugins: Array.from({ length }, () => ({ type: 'a' })) })
  const list = (length: number) => confListOf(networkFrom('Network', object({ config: chain(length) })), '1.0.0')
  t.equal(list(16).plugins.length, 16)
  const error = await refusalOf(() => list(17))
  t.equal(error.code, 7)
  t.match(error.message, /^Network default\/green: the chain has more than 16 plugins$/)
})

interface BadListCase {
  readonly name: string
  readonly spec: unknown
  readonly code: number
}

const badListCases: readonly BadListCase[] = [
  { name: 'no plugin anywhere', spec: {}, code: 7 },
  { name: 'a plugin with a path', spec: { plugin: '../../bin/sh' }, code: 7 },
  { name: 'a type with a path', spec: { config: '{"type":"/bin/sh"}' }, code: 7 },
  { name: 'a type that is a number', spec: { config: '{"type":1.0}' }, code: 7 },
  { name: 'a name with a path', spec: { config: '{"type":"a","name":"../x"}' }, code: 7 },
  { name: 'no plugins in a chain', spec: { plugin: 'a', config: '{"plugins":[]}' }, code: 7 },
  { name: 'a version nobody knows', spec: { config: '{"type":"a","cniVersion":"3.0.0"}' }, code: 1 },
]

for (const { name, spec, code } of badListCases) {
  t.test(`no plugins to run: ${name}`, async t => {
    const error = await refusalOf(() => confListOf(networkFrom('Network', object(spec)), '1.0.0'))
    t.equal(error.code, code)
    t.ok(error.message.startsWith('Network default/green: '), error.message)
  })
}

t.test('random objects are read or refused with 1 or 7', async t => {
  const random = randomInput(29)
  const config = '{"cniVersion":"1.0.0","name":"n","type":"bridge","plugins":[{"type":"a"}]}'
  const make = () =>
    random.pick<unknown>([
      random.json(3),
      object(random.json(2)),
      object({ plugin: 'a', config: random.damaged(config) }),
    ])
  const { accepted, surprises } = tryMany(
    3000,
    make,
    value => {
      const list = confListOf(networkFrom('Network', value), '1.0.0')
      if (list.plugins.some(({ type }) => /[/\0]/.test(type))) throw new Error('a path was taken for a type')
    },
    hasCode(1, 7),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 100, `${accepted} were accepted`)
})
