import t from 'tap'
import { assignDevices } from '../../../../cni/kactus/devices.ts'
import type { ResolvedNetwork } from '../../../../cni/kactus/lookup.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { plainRequest } from '../../../../cni/networks/request.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { refusalOf } from '../refusal.ts'
import { aux } from './fixtures.ts'

const NIC = 'vendor.test/nic'
const GPU = 'vendor.test/gpu'

function network(name: string, resourceName?: string): ResolvedNetwork {
  const object = {
    kind: 'Network' as const,
    namespace: 'team',
    name,
    resourceName,
    plugin: undefined,
    config: {},
    size: 8,
  }
  return { request: plainRequest('Network', name, undefined), object }
}

function using(resource: string, device: string, more: Partial<Attachment> = {}): Attachment {
  const plugin = { type: 'sriov', deviceID: device, resourceName: resource }
  return aux({ list: confListFrom({ name: 'x', plugins: [plugin] }), ...more })
}

interface AssignCase {
  readonly name: string
  readonly networks: readonly ResolvedNetwork[]
  readonly granted: readonly (readonly [string, readonly string[]])[]
  readonly present?: readonly Attachment[]
  /** Device of each network; a text = refused, with that in the message. */
  readonly want: readonly (string | undefined)[] | string
}

const cases: readonly AssignCase[] = [
  { name: 'nothing', networks: [], granted: [], want: [] },
  { name: 'a network that needs none', networks: [network('a')], granted: [], want: [undefined] },
  {
    name: 'in order, none twice',
    networks: [network('a', NIC), network('b'), network('c', NIC)],
    granted: [[NIC, ['1', '2', '3']]],
    want: ['1', undefined, '2'],
  },
  {
    name: 'of two resources',
    networks: [network('a', NIC), network('b', GPU)],
    granted: [
      [NIC, ['1']],
      [GPU, ['1']],
    ],
    want: ['1', '1'],
  },
  {
    name: 'one that another attachment uses',
    networks: [network('a', NIC)],
    granted: [[NIC, ['1', '2']]],
    present: [using(NIC, '1')],
    want: ['2'],
  },
  {
    name: 'one that an attachment used',
    networks: [network('a', NIC)],
    granted: [[NIC, ['1']]],
    present: [using(NIC, '1', { status: 'deleted' })],
    want: ['1'],
  },
  {
    name: "another resource's of that id is not used",
    networks: [network('a', NIC)],
    granted: [[NIC, ['1']]],
    present: [using(GPU, '1')],
    want: ['1'],
  },
  {
    name: 'none granted',
    networks: [network('a', NIC)],
    granted: [[NIC, []]],
    want: 'network team/a needs a device of vendor.test/nic',
  },
  { name: 'nothing known', networks: [network('a', NIC)], granted: [], want: 'team/a' },
  { name: 'too few', networks: [network('a', NIC), network('b', NIC)], granted: [[NIC, ['1']]], want: 'team/b' },
  {
    name: 'one granted twice',
    networks: [network('a', NIC), network('b', NIC)],
    granted: [[NIC, ['1', '1']]],
    want: 'team/b',
  },
  {
    name: 'all in use',
    networks: [network('a', NIC)],
    granted: [[NIC, ['1']]],
    present: [using(NIC, '1')],
    want: 'team/a',
  },
]

for (const { name, networks, granted, present = [], want } of cases) {
  t.test(`devices: ${name}`, async t => {
    const assign = () => assignDevices(networks, new Map(granted), present)
    if (typeof want === 'string') {
      const error = await refusalOf(assign)
      t.equal(error.code, 109)
      t.match(error.message, want)
      return
    }
    t.strictSame(
      assign().map(({ deviceId }) => deviceId),
      want,
    )
  })
}
