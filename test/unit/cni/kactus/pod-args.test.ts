import t from 'tap'
import { adopts, delegateArgs, networkOf, podOf } from '../../../../cni/kactus/pod-args.ts'
import { parseCniArgs, printCniArgs } from '../../../../cni/spec/args.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

interface PodCase {
  readonly name: string
  readonly args: string
  /** 4 = refused. */
  readonly want: unknown
}

const podCases: readonly PodCase[] = [
  { name: 'none', args: '', want: undefined },
  { name: 'others only', args: 'IgnoreUnknown=1;IP=10.0.0.1', want: undefined },
  {
    name: 'a pod',
    args: 'K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1',
    want: { namespace: 'team', name: 'p1', uid: undefined },
  },
  {
    name: 'a pod with its uid',
    args: 'K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1.a;K8S_POD_UID=u1',
    want: { namespace: 'team', name: 'p1.a', uid: 'u1' },
  },
  {
    name: 'an empty uid',
    args: 'K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1;K8S_POD_UID=',
    want: { namespace: 'team', name: 'p1', uid: undefined },
  },
  { name: 'a name alone', args: 'K8S_POD_NAME=p1', want: 4 },
  { name: 'a namespace alone', args: 'K8S_POD_NAMESPACE=team', want: 4 },
  { name: 'a name that climbs', args: 'K8S_POD_NAMESPACE=team;K8S_POD_NAME=../secrets/x', want: 4 },
  { name: 'a name with a question', args: 'K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1?watch', want: 4 },
  { name: 'a namespace with a slash', args: 'K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=p1', want: 4 },
  { name: 'a name of 300 characters', args: `K8S_POD_NAMESPACE=a;K8S_POD_NAME=${'a'.repeat(300)}`, want: 4 },
]

for (const { name, args, want } of podCases) {
  t.test(`pod: ${name}`, async t => {
    const read = () => podOf(parseCniArgs(args))
    if (want === 4) t.equal((await refusalOf(read)).code, 4)
    else t.strictSame(read(), want)
  })
}

interface NetworkCase {
  readonly name: string
  readonly args: string
  readonly want: Readonly<Record<string, unknown>> | undefined | 4
}

const networkCases: readonly NetworkCase[] = [
  { name: 'none', args: 'K8S_POD_NAME=p1', want: undefined },
  { name: 'empty', args: 'K8S_POD_NETWORK=', want: undefined },
  {
    name: 'a name',
    args: 'K8S_POD_NETWORK=green',
    want: { kind: 'Network', name: 'green', namespace: undefined, mac: undefined },
  },
  { name: 'of a namespace', args: 'K8S_POD_NETWORK=team/green', want: { name: 'green', namespace: 'team' } },
  {
    name: 'with a hardware address',
    args: 'K8S_POD_NETWORK=green;K8S_POD_IFMAC=0A:58:0A:01:00:02',
    want: { mac: '0a:58:0a:01:00:02' },
  },
  { name: 'with an empty hardware address', args: 'K8S_POD_NETWORK=green;K8S_POD_IFMAC=', want: { mac: undefined } },
  { name: 'two slashes', args: 'K8S_POD_NETWORK=a/b/c', want: 4 },
  { name: 'an empty namespace', args: 'K8S_POD_NETWORK=/green', want: 4 },
  { name: 'an empty name', args: 'K8S_POD_NETWORK=team/', want: 4 },
  { name: 'a name that climbs', args: 'K8S_POD_NETWORK=../x', want: 4 },
  { name: 'a hardware address that is none', args: 'K8S_POD_NETWORK=green;K8S_POD_IFMAC=x', want: 4 },
]

for (const { name, args, want } of networkCases) {
  t.test(`network: ${name}`, async t => {
    const read = () => networkOf(parseCniArgs(args))
    if (want === 4) t.equal((await refusalOf(read)).code, 4)
    else if (want === undefined) t.equal(read(), undefined)
    else t.match(read(), want)
  })
}

t.test('only a 1 adopts', async t => {
  t.ok(adopts(new Map([['NOPAL_ADOPT', '1']])))
  t.notOk(adopts(new Map([['NOPAL_ADOPT', 'true']])))
  t.notOk(adopts(new Map()))
})

interface DelegateCase {
  readonly name: string
  readonly args: string
  readonly isPrimary: boolean
  readonly mac?: string
  readonly want: string
}

const given =
  'K8S_POD_NAME=p1;K8S_POD_NETWORK=green;K8S_POD_IFMAC=0a:58:0a:01:00:02;NOPAL_ADOPT=1;MAC=x;CNI_IFMAC=x;IP=y;GATEWAY=z'

const delegateCases: readonly DelegateCase[] = [
  {
    name: 'the default network keeps the wishes for it',
    args: given,
    isPrimary: true,
    want: 'IgnoreUnknown=1;K8S_POD_NAME=p1;MAC=x;CNI_IFMAC=x;IP=y;GATEWAY=z',
  },
  { name: 'another network never gets them', args: given, isPrimary: false, want: 'IgnoreUnknown=1;K8S_POD_NAME=p1' },
  {
    name: 'another network with a wish of its own',
    args: given,
    isPrimary: false,
    mac: 'm',
    want: 'IgnoreUnknown=1;K8S_POD_NAME=p1;CNI_IFMAC=m;MAC=m',
  },
  {
    name: "a wish of its own replaces the default network's",
    args: given,
    isPrimary: true,
    mac: 'm',
    want: 'IgnoreUnknown=1;K8S_POD_NAME=p1;MAC=m;CNI_IFMAC=m;IP=y;GATEWAY=z',
  },
  {
    name: 'unknown keys are always to be ignored',
    args: 'IgnoreUnknown=0;OTHER=1',
    isPrimary: true,
    want: 'IgnoreUnknown=1;OTHER=1',
  },
  { name: 'nothing', args: '', isPrimary: true, want: 'IgnoreUnknown=1' },
]

for (const { name, args, isPrimary, mac, want } of delegateCases) {
  t.test(`arguments of a delegate: ${name}`, async t => {
    t.equal(printCniArgs(delegateArgs(parseCniArgs(args), { isPrimary, mac })), want)
  })
}

t.test('random arguments give a pod and network that are safe in a path, or code 4', async t => {
  const random = randomInput(53)
  const value = (good: string) => (random.below(2) === 0 ? good : random.text(nastyPieces, 3).replace(/[;=]/g, ''))
  const make = () =>
    new Map([
      ['K8S_POD_NAMESPACE', value('team')],
      ['K8S_POD_NAME', value('p1')],
      ['K8S_POD_NETWORK', value('team/green')],
      ['K8S_POD_IFMAC', value('0a:58:0a:01:00:02')],
    ])
  const isSafe = (part: string) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(part)
  const { accepted, surprises } = tryMany(
    3000,
    make,
    args => {
      const pod = podOf(args)
      const network = networkOf(args)
      const parts = [pod?.namespace, pod?.name, network?.namespace, network?.name].filter(part => part !== undefined)
      if (!parts.every(isSafe)) throw new Error(parts.join(' '))
    },
    hasCode(4),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 100, `${accepted} were accepted`)
})
