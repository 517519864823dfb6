import t from 'tap'
import { planHotplug, titleOf, type WantedNetwork } from '../../../../cni/kactus/plan.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { refusalOf } from '../refusal.ts'
import { aux, BLUE, confOf, GREEN, hotplugged, podArgs, primary, requestOf } from './fixtures.ts'
import { attached, plan, wanted } from './plan-fixtures.ts'

interface ShapeCase {
  readonly name: string
  readonly conf?: Readonly<Record<string, unknown>>
  readonly networks: readonly WantedNetwork[]
  /** Interface, plugin, whether it is the default network. */
  readonly want: readonly (readonly [string, string, boolean])[]
}

const twoDelegates = {
  delegates: [
    { type: 'second', name: 'green' },
    { type: 'main', masterPlugin: true },
  ],
}

const shapeCases: readonly ShapeCase[] = [
  { name: 'only the default network', networks: [], want: [['eth0', 'main', true]] },
  {
    name: 'two networks by their stable names',
    networks: [wanted('green'), wanted('blue')],
    want: [
      ['eth0', 'main', true],
      [GREEN, 'aux', false],
      [BLUE, 'aux', false],
    ],
  },
  {
    name: 'another delegate by its stable name, after the master',
    conf: twoDelegates,
    networks: [],
    want: [
      ['eth0', 'main', true],
      [GREEN, 'second', false],
    ],
  },
  {
    name: 'a network that takes the place of the default one',
    networks: [wanted('green'), wanted('blue', { request: { isPrimary: true } })],
    want: [
      ['eth0', 'aux', true],
      [GREEN, 'aux', false],
    ],
  },
  {
    name: 'the other delegates stay when the master is replaced',
    conf: twoDelegates,
    networks: [wanted('blue', { request: { isPrimary: true } })],
    want: [
      ['eth0', 'aux', true],
      [GREEN, 'second', false],
    ],
  },
  {
    name: 'an interface that was asked for',
    networks: [wanted('green', { request: { ifname: 'data0' } })],
    want: [
      ['eth0', 'main', true],
      ['data0', 'aux', false],
    ],
  },
  {
    name: 'a default network that was asked for on the interface where it is',
    networks: [wanted('green', { request: { isPrimary: true, ifname: 'eth0' } })],
    want: [['eth0', 'aux', true]],
  },
  {
    name: 'a NetworkAttachmentDefinition that is asked for again counts on; one with a name of its own does not',
    networks: ['green', 'green@x', 'green', 'blue', 'green'].map(attached),
    want: [
      ['eth0', 'main', true],
      [GREEN, 'aux', false],
      ['x', 'aux', false],
      ['netbac60ac2110d', 'aux', false],
      [BLUE, 'aux', false],
      ['net106f7be8e023', 'aux', false],
    ],
  },
  {
    name: 'one that is the default network too',
    networks: [
      wanted('green', { kind: 'NetworkAttachmentDefinition', request: { isPrimary: true } }),
      attached('green'),
    ],
    want: [
      ['eth0', 'aux', true],
      [GREEN, 'aux', false],
    ],
  },
]

for (const { name, conf, networks, want } of shapeCases) {
  t.test(`container: ${name}`, async t => {
    const planned = plan(networks, conf)
    t.strictSame(
      planned.map(({ ifname, list, isPrimary }) => [ifname, list.plugins[0]?.type, isPrimary]),
      want,
    )
    t.ok(
      planned.every(
        ({ owner, status, result, conf }) =>
          owner === 'eth0' && status === 'planned' && !result && conf === 'kactus-net',
      ),
    )
  })
}

t.test('the wishes of the runtime are for the default network alone', async t => {
  const [first, second] = plan([wanted('green')], { runtimeConfig: { portMappings: [1] } })
  t.strictSame(first?.capabilityArgs, { portMappings: [1] })
  t.strictSame(second?.capabilityArgs, {})
  t.equal(first?.network, undefined)
  t.equal(second?.network, 'team/green')
})

t.test('a hardware address reaches only its own network', async t => {
  const [first, second, third] = plan([wanted('green', { request: { mac: '0a:58:0a:01:00:02' } }), wanted('blue')])
  t.equal(second?.args, `${podArgs};CNI_IFMAC=0a:58:0a:01:00:02;MAC=0a:58:0a:01:00:02`)
  t.strictSame(second?.capabilityArgs, { mac: '0a:58:0a:01:00:02' })
  t.equal(second?.mac, '0a:58:0a:01:00:02')
  t.equal(first?.args, podArgs)
  t.equal(third?.args, podArgs)
})

t.test('a default network of a pod keeps the wishes of the runtime, its own first', async t => {
  const request = { isPrimary: true, capabilityArgs: { ips: ['a'] } }
  const config = { type: 'aux', capabilities: { ips: true, bandwidth: true } }
  const [first] = plan([wanted('green', { request, config })], {
    runtimeConfig: { ips: ['b'], bandwidth: {}, dns: {} },
  })
  t.strictSame(first?.capabilityArgs, { ips: ['a'], bandwidth: {}, dns: {} })
  t.equal(first?.network, 'team/green')
})

t.test('a device goes to the first plugin of a chain', async t => {
  const config = { plugins: [{ type: 'sriov' }, { type: 'tuning' }] }
  const [, second] = plan([wanted('green', { config, deviceId: '0000:00:1f.6', resourceName: 'vendor.test/nic' })])
  t.match(second?.list.plugins[0], {
    type: 'sriov',
    deviceID: '0000:00:1f.6',
    pciBusID: '0000:00:1f.6',
    resourceName: 'vendor.test/nic',
  })
  t.strictSame(second?.list.plugins[1], { type: 'tuning' })
  t.strictSame(second?.capabilityArgs, { deviceID: '0000:00:1f.6' })
})

t.test('arguments for the plugins go beside those that are there', async t => {
  const config = {
    plugins: [
      { type: 'a', args: { cni: { x: 1, y: 1 }, other: 2 } },
      { type: 'b', args: 'junk' },
    ],
  }
  const [, second] = plan([wanted('green', { config, request: { cniArgs: { y: 2 } } })])
  t.strictSame(second?.list.plugins[0]?.args, { cni: { x: 1, y: 2 }, other: 2 })
  t.strictSame(second?.list.plugins[1]?.args, { cni: { y: 2 } })
})

t.test('a network keeps its own version, and gets ours where it has none', async t => {
  const [, own, none] = plan([wanted('green', { config: { type: 'aux', cniVersion: '0.3.1' } }), wanted('blue')])
  t.equal(own?.list.cniVersion, '0.3.1')
  t.equal(none?.list.cniVersion, '1.1.0')
})

interface CollisionCase {
  readonly name: string
  readonly conf?: Readonly<Record<string, unknown>>
  readonly networks: readonly WantedNetwork[]
  readonly present?: readonly Attachment[]
  /** What the message names; undefined = no collision. */
  readonly names: readonly string[] | undefined
}

const collisionCases: readonly CollisionCase[] = [
  { name: 'a network twice', networks: [wanted('green'), wanted('green')], names: ['team/green', GREEN] },
  {
    name: 'a delegate and a network of one name',
    conf: twoDelegates,
    networks: [wanted('green')],
    names: ['delegate green', 'network team/green', GREEN],
  },
  {
    name: "the runtime's interface asked for",
    networks: [wanted('green', { request: { ifname: 'eth0' } })],
    names: ['the default network', 'network team/green', 'eth0'],
  },
  {
    name: "another's stable name asked for",
    networks: [wanted('green'), wanted('blue', { request: { ifname: GREEN } })],
    names: ['team/green', 'team/blue'],
  },
  {
    name: 'one that is attached already',
    networks: [wanted('blue')],
    present: [hotplugged()],
    names: ['team/blue', BLUE],
  },
  {
    name: 'one that is undone',
    networks: [wanted('blue')],
    present: [hotplugged({ status: 'deleted' })],
    names: undefined,
  },
]

for (const { name, conf, networks, present, names } of collisionCases) {
  t.test(`one interface for two: ${name}`, async t => {
    if (names === undefined) return t.doesNotThrow(() => plan(networks, conf, present))
    const error = await refusalOf(() => plan(networks, conf, present))
    t.equal(error.code, 7)
    for (const wanted of names) t.match(error.message, wanted)
  })
}

t.test('a network for a running pod belongs to no ADD of the runtime', async t => {
  const input = { conf: confOf(), request: requestOf('ADD'), present: [primary(), aux()] }
  const planned = planHotplug(input, wanted('blue', { request: { isPrimary: true } }))
  t.match(planned, { owner: undefined, ifname: BLUE, isPrimary: false, network: 'team/blue', status: 'planned' })
  t.equal((await refusalOf(() => planHotplug(input, wanted('green')))).code, 7)
})

t.test('what a message calls an attachment', async t => {
  t.equal(titleOf(primary()), 'the default network')
  t.equal(titleOf(aux()), 'network team/green')
  t.equal(titleOf(primary({ isPrimary: false })), 'delegate default')
})
