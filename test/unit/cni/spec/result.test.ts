import t from 'tap'
import { isJsonObject, type Json, type JsonObject, parseJson, printJson } from '../../../../cni/spec/json.ts'
import { convertResult, parseResult, printResult } from '../../../../cni/spec/result.ts'
import { atLeast, type CniVersion, isSupportedVersion, SUPPORTED_VERSIONS } from '../../../../cni/spec/versions.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

/** One attachment with all that each version can say of it. */
const SAID: Readonly<Record<CniVersion, JsonObject>> = {
  '0.1.0': old('0.1.0'),
  '0.2.0': old('0.2.0'),
  '0.3.0': middle('0.3.0'),
  '0.3.1': middle('0.3.1'),
  '0.4.0': middle('0.4.0'),
  '1.0.0': {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'eth0', mac: '0a:00:00:00:00:01', sandbox: '/run/netns/x' }],
    ips: [
      { address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
      { address: 'fd00::2/64', gateway: 'fd00::1', interface: 0 },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }],
    dns: { nameservers: ['10.96.0.10'] },
  },
  '1.1.0': {
    cniVersion: '1.1.0',
    interfaces: [
      {
        name: 'eth0',
        mac: '0a:00:00:00:00:01',
        sandbox: '/run/netns/x',
        mtu: 1450,
        socketPath: '/s',
        pciID: '0000:00:1f.6',
      },
    ],
    ips: [
      { address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
      { address: 'fd00::2/64', gateway: 'fd00::1', interface: 0 },
    ],
    routes: [
      { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, advmss: 1360, priority: 10, table: 5, scope: 253 },
      { dst: '::/0' },
    ],
    dns: { nameservers: ['10.96.0.10'] },
  },
}

function old(cniVersion: string): JsonObject {
  return {
    cniVersion,
    ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }] },
    ip6: { ip: 'fd00::2/64', gateway: 'fd00::1', routes: [{ dst: '::/0' }] },
    dns: { nameservers: ['10.96.0.10'] },
  }
}

function middle(cniVersion: string): JsonObject {
  return {
    cniVersion,
    interfaces: [{ name: 'eth0', mac: '0a:00:00:00:00:01', sandbox: '/run/netns/x' }],
    ips: [
      { version: '4', address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
      { version: '6', address: 'fd00::2/64', gateway: 'fd00::1', interface: 0 },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }],
    dns: { nameservers: ['10.96.0.10'] },
  }
}

/** What is left of an attachment on its way from one version to another. */
function expected(from: CniVersion, to: CniVersion): JsonObject {
  const said = SAID[to]
  if (from === to) return said
  if (!atLeast(from, '0.3.0') && atLeast(to, '0.3.0')) {
    const isMiddle = !atLeast(to, '1.0.0')
    return {
      cniVersion: to,
      ips: [
        { ...(isMiddle && { version: '4' }), address: '10.1.0.2/24', gateway: '10.1.0.1' },
        { ...(isMiddle && { version: '6' }), address: 'fd00::2/64', gateway: 'fd00::1' },
      ],
      routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0' }],
      dns: { nameservers: ['10.96.0.10'] },
    }
  }
  return to === '1.1.0' ? { ...SAID['1.0.0'], cniVersion: '1.1.0' } : said
}

for (const from of SUPPORTED_VERSIONS) {
  for (const to of SUPPORTED_VERSIONS) {
    t.test(`from ${from} to ${to}`, async t => {
      t.strictSame(convertResult(SAID[from], '0.1.0', to), expected(from, to))
    })
  }
}

interface AssumedCase {
  readonly name: string
  readonly cniVersion: Json | undefined
}

const assumedCases: readonly AssumedCase[] = [
  { name: 'absent', cniVersion: undefined },
  { name: 'null', cniVersion: null },
  { name: 'empty', cniVersion: '' },
]

for (const { name, cniVersion } of assumedCases) {
  t.test(`a version that is ${name} is that of the configuration`, async t => {
    const answer = { ...(cniVersion !== undefined && { cniVersion }), ips: [{ address: '10.1.0.2/24' }], odd: 1 }
    t.strictSame(convertResult(answer, '1.0.0', '1.0.0'), { ...answer, cniVersion: '1.0.0' })
    t.strictSame(convertResult(answer, '1.0.0', '0.4.0').ips, [{ version: '4', address: '10.1.0.2/24' }])
  })
}

t.test('in its own version a result keeps what we do not know, digits included', async t => {
  const text = '{"cniVersion":"1.0.0","ips":[],"vendor":{"id":9007199254740993},"__proto__":1.0}'
  t.equal(printJson(convertResult(parseJson(text), '0.1.0', '1.0.0')), text)
})

t.test('before 0.3.0 only the first address of each family can be said', async t => {
  const answer = {
    cniVersion: '1.0.0',
    ips: [{ address: 'fd00::2/64' }, { address: '10.1.0.2/24' }, { address: '10.2.0.2/24' }],
    routes: [{ dst: '10.0.0.0/8' }],
  }
  t.strictSame(convertResult(answer, '1.0.0', '0.2.0'), {
    cniVersion: '0.2.0',
    ip4: { ip: '10.1.0.2/24', routes: [{ dst: '10.0.0.0/8' }] },
    ip6: { ip: 'fd00::2/64' },
    dns: {},
  })
})

interface RefusedCase {
  readonly name: string
  readonly value: string
  readonly to: CniVersion
  readonly code: number
}

const refusedCases: readonly RefusedCase[] = [
  {
    name: 'no address, in a version that must have one',
    value: '{"cniVersion":"1.0.0","ips":[]}',
    to: '0.2.0',
    code: 1,
  },
  { name: 'a version nobody knows', value: '{"cniVersion":"2.0.0"}', to: '1.0.0', code: 1 },
  { name: 'a version that is a number', value: '{"cniVersion":1}', to: '1.0.0', code: 1 },
  { name: 'a list', value: '[]', to: '1.0.0', code: 6 },
  { name: 'null', value: 'null', to: '1.0.0', code: 6 },
  { name: 'a kept number', value: '1.0', to: '1.0.0', code: 6 },
  { name: 'addresses that are no list', value: '{"ips":{}}', to: '1.0.0', code: 6 },
  { name: 'an address that is no object', value: '{"ips":["10.1.0.2/24"]}', to: '1.0.0', code: 6 },
  { name: 'an address without an address', value: '{"ips":[{}]}', to: '1.0.0', code: 6 },
  { name: 'an address that is a number', value: '{"ips":[{"address":10}]}', to: '1.0.0', code: 6 },
  { name: 'interfaces of null', value: '{"interfaces":[null]}', to: '1.0.0', code: 6 },
  { name: 'routes that are text', value: '{"routes":"none"}', to: '1.0.0', code: 6 },
  { name: 'dns that is a list', value: '{"dns":[]}', to: '1.0.0', code: 6 },
  {
    name: 'old, with a family that is text',
    value: '{"cniVersion":"0.2.0","ip4":"10.1.0.2/24"}',
    to: '1.0.0',
    code: 6,
  },
  {
    name: 'old, with a family without an address',
    value: '{"cniVersion":"0.2.0","ip4":{"gateway":"10.1.0.1"}}',
    to: '1.0.0',
    code: 6,
  },
  {
    name: 'a route whose destination is an object',
    value: '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.2/24"}],"routes":[{"dst":{"toString":1,"valueOf":1}}]}',
    to: '0.2.0',
    code: 6,
  },
  {
    name: 'a route whose destination is a kept number',
    value: '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.2/24"}],"routes":[{"dst":1.0}]}',
    to: '0.2.0',
    code: 6,
  },
]

for (const { name, value, to, code } of refusedCases) {
  t.test(`refused: ${name}`, async t => {
    const error = await refusalOf(() => convertResult(parseJson(value), '1.0.0', to))
    t.equal(error.code, code, error.message)
  })
}

t.test('lists of null are empty lists', async t => {
  const answer = { cniVersion: '1.0.0', interfaces: null, ips: null, routes: null, dns: null }
  t.strictSame(parseResult(answer, '1.0.0'), { interfaces: [], ips: [], routes: [], dns: {} })
})

t.test('a result without anything is only its version', async t => {
  t.strictSame(printResult({ interfaces: [], ips: [], routes: [], dns: {} }, '1.1.0'), { cniVersion: '1.1.0', dns: {} })
})

t.test('random answers convert to every version or are refused with 1 or 6', async t => {
  const random = randomInput(23)
  const make = () => {
    const version = random.pick([...SUPPORTED_VERSIONS] as [CniVersion, ...CniVersion[]])
    const said: Record<string, Json> = { ...SAID[version] }
    for (const key of Object.keys(said)) if (random.below(4) === 0) said[key] = random.json(3)
    return parseJson(random.below(2) === 0 ? printJson(said) : printJson(random.json(4)))
  }
  const { accepted, surprises } = tryMany(
    2000,
    make,
    answer => {
      const to = random.pick([...SUPPORTED_VERSIONS] as [CniVersion, ...CniVersion[]])
      const result = convertResult(answer, '1.0.0', to)
      if (result.cniVersion !== to || !isSupportedVersion(result.cniVersion)) throw new Error('of another version')
      if (!isJsonObject(parseJson(printJson(result)))) throw new Error('no document any more')
    },
    hasCode(1, 6),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 200, `${accepted} were accepted`)
})
