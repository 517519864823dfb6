import t from 'tap'
import { readDelegates } from '../../../../cni/kactus/config.ts'
import { planForward, staleOf } from '../../../../cni/kactus/gc-plan.ts'
import type { Attachment, ContainerRecord } from '../../../../cni/networks/record.ts'
import type { ValidAttachment } from '../../../../cni/spec/chain.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { aux, BLUE, confOf, GREEN, hotplugged, primary, recordOf } from './fixtures.ts'

const alive: ValidAttachment = { containerID: 'c1', ifname: 'eth0' }
const all = [primary(), aux(), hotplugged()]

interface StaleCase {
  readonly name: string
  readonly attachments: readonly Attachment[]
  readonly valid: readonly ValidAttachment[]
  readonly want: readonly Attachment[]
}

const staleCases: readonly StaleCase[] = [
  { name: 'the runtime knows it: all of its networks live', attachments: all, valid: [alive], want: [] },
  { name: 'the runtime knows nothing', attachments: all, valid: [], want: all },
  {
    name: 'the runtime knows another container',
    attachments: all,
    valid: [{ ...alive, containerID: 'c2' }],
    want: all,
  },
  {
    name: 'the runtime knows another interface: only what was attached later lives',
    attachments: all,
    valid: [{ ...alive, ifname: 'eth1' }],
    want: [primary(), aux()],
  },
  {
    name: 'a stable name in the list is no interface of the runtime',
    attachments: [primary(), aux()],
    valid: [{ ...alive, ifname: GREEN }],
    want: [primary(), aux()],
  },
  { name: "another configuration's are not judged", attachments: [primary({ conf: 'other' })], valid: [], want: [] },
]

for (const { name, attachments, valid, want } of staleCases) {
  t.test(`stale: ${name}`, async t => {
    t.strictSame(staleOf(recordOf(attachments), 'kactus-net', valid), want)
  })
}

interface ForwardCase {
  readonly name: string
  readonly conf?: Readonly<Record<string, unknown>>
  readonly records: readonly ContainerRecord[]
  readonly valid: readonly ValidAttachment[]
  /** Name of the list, and `container/interface` of those it is told of. */
  readonly want: readonly (readonly [string, readonly string[]])[]
}

const withDevice = (id: string) =>
  confListFrom({ name: 'green', cniVersion: '1.1.0', plugins: [{ type: 'aux', deviceID: id }] })

const forwardCases: readonly ForwardCase[] = [
  { name: 'no pods: the default network hears so', records: [], valid: [], want: [['default', []]] },
  {
    name: 'a container without a record lives on the default network',
    records: [],
    valid: [alive],
    want: [['default', ['c1/eth0']]],
  },
  {
    name: 'each network hears of its own interfaces',
    records: [recordOf(all)],
    valid: [alive],
    want: [
      ['default', ['c1/eth0']],
      ['green', [`c1/${GREEN}`]],
      ['blue', [`c1/${BLUE}`]],
    ],
  },
  {
    name: 'another delegate hears of its stable name',
    conf: {
      delegates: [
        { type: 'main', name: 'default' },
        { type: 'b', name: 'green' },
      ],
    },
    records: [],
    valid: [alive],
    want: [
      ['default', ['c1/eth0']],
      ['green', [`c1/${GREEN}`]],
    ],
  },
  {
    name: 'what is undone is not in use',
    records: [recordOf([primary(), aux({ status: 'deleted' })])],
    valid: [alive],
    want: [['default', ['c1/eth0']]],
  },
  {
    name: 'what may have run is in use',
    records: [recordOf([primary(), aux({ status: 'adding' })])],
    valid: [alive],
    want: [
      ['default', ['c1/eth0']],
      ['green', [`c1/${GREEN}`]],
    ],
  },
  {
    name: 'one network with two devices is told once of both pods',
    records: [
      recordOf([aux({ list: withDevice('1') })]),
      recordOf([aux({ list: withDevice('2') })], { containerId: 'c2' }),
    ],
    valid: [],
    want: [
      ['default', []],
      ['green', [`c1/${GREEN}`, `c2/${GREEN}`]],
    ],
  },
  {
    name: 'two configurations of one name share a memory: each is told of both',
    records: [
      recordOf([aux()]),
      recordOf([aux({ list: confListFrom({ name: 'green', cniVersion: '1.1.0', type: 'older' }) })], {
        containerId: 'c2',
      }),
    ],
    valid: [],
    want: [
      ['default', []],
      ['green', [`c1/${GREEN}`, `c2/${GREEN}`]],
      ['green', [`c1/${GREEN}`, `c2/${GREEN}`]],
    ],
  },
]

for (const { name, conf, records, valid, want } of forwardCases) {
  t.test(`forward: ${name}`, async t => {
    const forwards = planForward(readDelegates(confOf(conf)), records, valid)
    t.strictSame(
      forwards.map(({ list, valid }) => [
        list.name,
        valid.map(({ containerID, ifname }) => `${containerID}/${ifname}`),
      ]),
      want,
    )
  })
}
