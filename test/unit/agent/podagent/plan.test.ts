import t from 'tap'
import type { NodePod } from '../../../../agent/kube/pod.ts'
import { type KactusConf, planPod } from '../../../../agent/podagent/plan.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { attached, blue, green, podOf, primary, recordOf } from './samples.ts'

interface Row {
  readonly name: string
  readonly pod: NodePod
  /** Beside the default network; undefined = kactus knows nothing of the pod. */
  readonly has: readonly Attachment[] | undefined
  readonly conf?: Partial<KactusConf>
  /** `+ network interface [mac]`, `- network interface`. */
  readonly steps?: readonly string[]
  readonly problems?: readonly (string | RegExp)[]
  readonly isUnsettled?: boolean
}

const mac = '02:00:00:00:00:2a'
const multus = 'k8s.v1.cni.cncf.io/networks'
const hasGreen = attached('team/green', green)
const hasBlue = attached('default/blue', blue)
const startedGreen = attached('team/green', green, { owner: 'eth0' })

const differences: readonly Row[] = [
  { name: 'nothing asked for, nothing there', pod: podOf(undefined), has: [] },
  {
    name: 'all there: no call at all',
    pod: podOf([{ name: 'green' }, { name: 'blue' }]),
    has: [startedGreen, hasBlue],
  },
  { name: 'one more', pod: podOf([{ name: 'green' }]), has: [], steps: [`+ green ${green}`] },
  {
    name: 'two more, in the order of the annotation, one with an address',
    pod: podOf([
      { name: 'blue', ifMac: mac },
      { name: 'green', namespace: 'default' },
    ]),
    has: [],
    steps: [`+ blue ${blue} ${mac}`, `+ default/green ${green}`],
  },
  { name: 'one less', pod: podOf([{ name: 'blue' }]), has: [hasGreen, hasBlue], steps: [`- team/green ${green}`] },
  {
    name: 'one that came with the start goes too',
    pod: podOf([]),
    has: [startedGreen],
    steps: [`- team/green ${green}`],
  },
  { name: 'the annotation itself is gone', pod: podOf(undefined), has: [hasBlue], steps: [`- default/blue ${blue}`] },
  {
    name: 'what goes makes room for what comes',
    pod: podOf([{ name: 'blue' }]),
    has: [hasGreen],
    steps: [`- team/green ${green}`, `+ blue ${blue}`],
  },
  {
    name: 'another address: off and on',
    pod: podOf([{ name: 'green', ifMac: mac }]),
    has: [attached('team/green', green, { mac: '02:00:00:00:00:2b' })],
    steps: [`- team/green ${green}`, `+ green ${green} ${mac}`],
  },
  {
    name: 'the same address in other letters',
    pod: podOf([{ name: 'green', ifMac: '02-00-00-00-00-2A' }]),
    has: [attached('team/green', green, { mac, capabilityArgs: { mac, deviceID: '0000:00:01.0' } })],
  },
  {
    name: 'the address is not asked for any more: it may stay',
    pod: podOf([{ name: 'green' }]),
    has: [attached('team/green', green, { mac })],
  },
  {
    name: 'of another namespace than before: off and on',
    pod: podOf([{ name: 'green', namespace: 'default' }]),
    has: [hasGreen],
    steps: [`- team/green ${green}`, `+ default/green ${green}`],
  },
  { name: 'isPrimary is of the start alone', pod: podOf([{ name: 'green', isPrimary: true }]), has: [] },
  {
    name: 'the default network stays, whatever network it is',
    pod: podOf([]),
    has: [primary({ network: 'team/green', ifname: 'eth1', owner: 'eth1' })],
  },
  { name: 'podagentSkip: not attached', pod: podOf([{ name: 'green', podagentSkip: true }]), has: [] },
  { name: 'podagentSkip: not detached', pod: podOf([{ name: 'green', podagentSkip: true }]), has: [startedGreen] },
  {
    name: 'delegates of the configuration stay',
    pod: podOf([]),
    has: [attached('', 'net0123456789ab', { network: undefined })],
  },
  { name: 'of another configuration: stays', pod: podOf([]), has: [attached('team/green', green, { conf: 'other' })] },
  {
    name: 'a call that was broken off is made again',
    pod: podOf([{ name: 'green' }, { name: 'blue' }]),
    has: [attached('team/green', green, { status: 'adding' }), attached('default/blue', blue, { status: 'planned' })],
    steps: [`+ green ${green}`, `+ blue ${blue}`],
  },
  {
    name: 'one that was broken off and is not wanted any more is undone',
    pod: podOf([]),
    has: [attached('team/green', green, { status: 'adding' })],
    steps: [`- team/green ${green}`],
  },
  {
    name: 'a removal that was broken off, and is taken back',
    pod: podOf([{ name: 'green' }]),
    has: [attached('team/green', green, { owner: 'eth0', status: 'adding' })],
    steps: [`+ green ${green}`],
  },
  {
    name: 'undone already',
    pod: podOf([{ name: 'green' }]),
    has: [attached('team/green', green, { owner: 'eth0', status: 'deleted' })],
    steps: [`+ green ${green}`],
  },
]

const multusRows: readonly Row[] = [
  {
    name: "multus' annotation, text",
    pod: podOf(undefined, { annotations: { [multus]: 'green, default/blue@blue0' } }),
    has: [],
    steps: [`+ green ${green}`, '+ default/blue blue0'],
  },
  {
    name: 'another name for the interface: off and on',
    pod: podOf(undefined, { annotations: { [multus]: 'green@green1' } }),
    has: [attached('team/green', 'green0')],
    steps: ['- team/green green0', '+ green green1'],
  },
  {
    name: 'other addresses: off and on',
    pod: podOf(undefined, { annotations: { [multus]: '[{"name":"green","ips":["192.168.42.8/24"]}]' } }),
    has: [attached('team/green', green, { capabilityArgs: { ips: ['192.168.42.7/24'] } })],
    steps: [`- team/green ${green}`, `+ green ${green}`],
  },
  {
    name: 'twice from the start: both stay',
    pod: podOf(undefined, { annotations: { [multus]: 'green,green' } }),
    has: [startedGreen, attached('team/green', 'netbac60ac2110d', { owner: 'eth0' })],
  },
  {
    name: 'a second time while it runs: refused, the first one is attached',
    pod: podOf(undefined, { annotations: { [multus]: 'green,green' } }),
    has: [],
    steps: [`+ green ${green}`],
    problems: [/green is named more than once/],
  },
  {
    name: 'not where the pod has our annotation',
    pod: podOf([{ name: 'blue' }], { annotations: { [multus]: 'green' } }),
    has: [hasBlue],
  },
  {
    name: 'nor where multus itself reads it',
    pod: podOf(undefined, { annotations: { [multus]: 'green' } }),
    conf: { multusReader: 'multus' },
    has: [],
  },
]

const badInput: readonly Row[] = [
  {
    name: 'no JSON: what is attached stays',
    pod: podOf('[{"name": "green"}'),
    has: [hasBlue],
    problems: [/annotation is no JSON.*what is attached stays/],
  },
  { name: 'no list', pod: podOf('{}'), has: [hasGreen], problems: [/is no JSON list/] },
  { name: 'a key nobody knows', pod: podOf([{ name: 'green', mtu: 9000 }]), has: [hasBlue], problems: [/"mtu"/] },
  { name: 'an address that is none', pod: podOf([{ name: 'green', ifMac: 'x' }]), has: [], problems: [/"ifMac".*"x"/] },
  { name: 'a name that is none', pod: podOf([{ name: '../x' }]), has: [hasGreen], problems: [/"name".*"\.\.\/x"/] },
  {
    name: 'named twice: the rest is attached',
    pod: podOf([{ name: 'green' }, { name: 'green', ifMac: mac }, { name: 'blue' }]),
    has: [],
    steps: [`+ green ${green}`, `+ blue ${blue}`],
    problems: [/network green is named twice/],
  },
  {
    name: 'two of one interface name',
    pod: podOf([{ name: 'green' }, { name: 'green', namespace: 'default' }]),
    has: [hasGreen],
    problems: [new RegExp(`networks green and default/green would have the same interface, ${green}`)],
  },
  {
    name: "on the host's network",
    pod: podOf([{ name: 'green' }], { hostNetwork: true }),
    has: undefined,
    problems: [/on the host's network/],
  },
  { name: "on the host's network, and asks for nothing", pod: podOf(undefined, { hostNetwork: true }), has: undefined },
]

const moments: readonly Row[] = [
  { name: 'ends: its runtime detaches it', pod: podOf([], { phase: 'ending' }), has: [hasGreen] },
  { name: 'kactus knows nothing of it', pod: podOf([{ name: 'green' }]), has: undefined, steps: [`+ green ${green}`] },
]

for (const row of [...differences, ...multusRows, ...badInput, ...moments]) {
  t.test(row.name, async t => {
    const record = row.has && recordOf([primary(), ...row.has])
    const conf: KactusConf = { name: 'kactus-net', multusReader: 'kactus', ...row.conf }
    const plan = planPod({ pod: row.pod, conf, record })
    const steps = plan.steps.map(({ action, network, ifname, mac: asked }) =>
      [action === 'attach' ? '+' : '-', network, ifname, ...(asked === undefined ? [] : [asked])].join(' '),
    )
    t.same(steps, row.steps ?? [])
    t.equal(plan.problems.length, row.problems?.length ?? 0)
    for (const [at, note] of (row.problems ?? []).entries())
      t.match(plan.problems[at], { reason: 'FailedAddingInterface', note })
    t.equal(plan.isUnsettled, false)
  })
}

interface SettledRow {
  readonly name: string
  readonly phase: NodePod['phase']
  readonly attachments: readonly Attachment[]
  readonly isUnsettled: boolean
}

const planned = attached('team/green', green, { owner: 'eth0', status: 'planned' })
const settledRows: readonly SettledRow[] = [
  {
    name: 'the runtime attaches its default network',
    phase: 'starting',
    isUnsettled: true,
    attachments: [primary({ status: 'adding' }), planned],
  },
  { name: 'the runtime attaches the others', phase: 'starting', isUnsettled: true, attachments: [primary(), planned] },
  {
    name: 'all is attached, its containers are to start yet',
    phase: 'starting',
    isUnsettled: false,
    attachments: [primary(), startedGreen],
  },
  {
    name: 'a sandbox that is torn down',
    phase: 'running',
    isUnsettled: true,
    attachments: [primary({ status: 'deleted' }), startedGreen],
  },
  {
    name: 'attached by another plugin before kactus came',
    phase: 'running',
    isUnsettled: false,
    attachments: [hasGreen],
  },
  { name: 'the same, and it does not run', phase: 'starting', isUnsettled: true, attachments: [hasGreen] },
]

for (const { name, phase, attachments, isUnsettled } of settledRows) {
  t.test(`settled: ${name}`, async t => {
    const conf: KactusConf = { name: 'kactus-net', multusReader: 'kactus' }
    const plan = planPod({ pod: podOf([], { phase }), conf, record: recordOf(attachments) })
    t.equal(plan.isUnsettled, isUnsettled)
    if (isUnsettled) t.same(plan.steps, [], 'nothing is done meanwhile')
  })
}
