import t from 'tap'
import { finalResult, firstResult, mergeResults } from '../../../../cni/kactus/results.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import type { CniResult } from '../../../../cni/spec/result.ts'
import { refusalOf } from '../refusal.ts'
import { confOf } from './fixtures.ts'

const empty: CniResult = { interfaces: [], ips: [], routes: [], dns: {} }
const eth0 = { name: 'eth0', sandbox: '/x' }
const lan = { name: 'lan0', sandbox: '/x' }

interface MergeCase {
  readonly name: string
  readonly before: Partial<CniResult>
  readonly after: Partial<CniResult>
  readonly want: Partial<CniResult>
}

const mergeCases: readonly MergeCase[] = [
  { name: 'nothing and nothing', before: {}, after: {}, want: {} },
  {
    name: 'ours first, what came before us after it',
    before: {
      interfaces: [lan],
      ips: [{ address: '192.0.2.2/24', interface: 0 }],
      routes: [{ dst: 'a' }],
      dns: { domain: 'old' },
    },
    after: {
      interfaces: [eth0],
      ips: [{ address: '10.1.0.2/24', interface: 0 }],
      routes: [{ dst: 'b' }],
      dns: { domain: 'new' },
    },
    want: {
      interfaces: [eth0, lan],
      ips: [
        { address: '10.1.0.2/24', interface: 0 },
        { address: '192.0.2.2/24', interface: 1 },
      ],
      routes: [{ dst: 'b' }, { dst: 'a' }],
      dns: { domain: 'new' },
    },
  },
  {
    name: 'what a plugin passed on is there once, whatever the order of its keys',
    before: { interfaces: [lan], ips: [{ address: 'a', interface: 0 }], routes: [{ dst: 'x', gw: 'y' }] },
    after: {
      interfaces: [{ sandbox: '/x', name: 'lan0' }, eth0],
      ips: [
        { interface: 0, address: 'a' },
        { address: 'b', interface: 1 },
      ],
      routes: [{ gw: 'y', dst: 'x' }],
    },
    want: {
      interfaces: [lan, eth0],
      ips: [
        { address: 'a', interface: 0 },
        { address: 'b', interface: 1 },
      ],
      routes: [{ dst: 'x', gw: 'y' }],
    },
  },
  {
    name: 'no name servers of our own: the ones before',
    before: { dns: { nameservers: ['a'] } },
    after: {},
    want: { dns: { nameservers: ['a'] } },
  },
  {
    name: 'an address on no interface, and on one that is not there',
    before: { ips: [{ address: 'a' }, { address: 'b', interface: 7 }, { address: 'c', interface: -1 }] },
    after: {},
    want: { ips: [{ address: 'a' }, { address: 'b', interface: 7 }, { address: 'c', interface: -1 }] },
  },
]

for (const { name, before, after, want } of mergeCases) {
  t.test(`merge: ${name}`, async t => {
    t.same(mergeResults({ ...empty, ...before }, { ...empty, ...after }), { ...empty, ...want })
  })
}

const list = confListFrom({ name: 'default', cniVersion: '1.0.0', type: 'main' })
const result: JsonObject = { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }], dns: {} }

t.test('alone in the chain: the result in the words of the runtime', async t => {
  t.equal(firstResult(confOf(), list), undefined)
  t.strictSame(finalResult(confOf({ cniVersion: '0.4.0' }), list, result), {
    cniVersion: '0.4.0',
    ips: [{ version: '4', address: '10.1.0.2/24' }],
    dns: {},
  })
})

t.test('after others in the chain: their result goes in and comes out', async t => {
  const prevResult = { ips: [{ version: '4', address: '192.0.2.2/24' }] }
  const conf = confOf({ cniVersion: '0.4.0', prevResult })
  t.strictSame(firstResult(conf, list), { cniVersion: '1.0.0', ips: [{ address: '192.0.2.2/24' }], dns: {} })
  t.strictSame(finalResult(conf, list, result).ips, [
    { version: '4', address: '10.1.0.2/24' },
    { version: '4', address: '192.0.2.2/24' },
  ])
})

t.test('a version that cannot say it', async t => {
  const conf = confOf({ cniVersion: '0.2.0' })
  t.equal((await refusalOf(() => finalResult(conf, list, { cniVersion: '1.0.0', dns: {} }))).code, 1)
})
