import t from 'tap'
import { renderConf } from '../../../../agent/install/conf.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import { type DefaultNetwork, type Observed, type OwnConf, planInstall } from '../../../../agent/install/plan.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'

const paths = installPaths({ cniBinDir: '/opt/cni/bin', cniConfDir: '/etc/cni/net.d', hostRoot: '' })
const list = confListFrom({ name: 'cbr0', cniVersion: '1.0.0', plugins: [{ type: 'bridge' }] })
const found = (file: string, more: { first?: string; mode?: number } = {}): DefaultNetwork => ({
  ...{ kind: 'found', path: `/etc/cni/net.d/${file}`, list, first: file, mode: 0o644 },
  ...more,
})
const conf: OwnConf = { text: renderConf(list, { kubeconfig: paths.kubeconfigOnHost }), mode: 0o644 }
const oldConf: OwnConf = {
  ...conf,
  text: renderConf({ ...list, name: 'before' }, { kubeconfig: paths.kubeconfigOnHost }),
}
const settled: Observed = {
  defaultNetwork: found('10-cbr0.conflist'),
  conf,
  earlyConf: undefined,
  kubeconfig: 'wanted',
  binary: 'current',
  passedOver: [],
}
const absent = {
  conf: undefined,
  earlyConf: undefined,
  kubeconfig: undefined,
  binary: 'missing',
  passedOver: [],
} as const
const none: DefaultNetwork = { kind: 'none' }
const unreadable: DefaultNetwork = {
  kind: 'unreadable',
  path: '/etc/cni/net.d/10-cbr0.conflist',
  message: 'is no JSON',
}

interface PlanCase {
  readonly name: string
  readonly observed: Observed
  readonly actions: readonly string[]
  readonly installed: boolean
  readonly warning: boolean
  readonly message: RegExp
}

const cases: readonly PlanCase[] = [
  {
    name: 'all is in place',
    observed: settled,
    actions: [],
    installed: true,
    warning: false,
    message: /wraps network cbr0 of 10-cbr0/,
  },
  {
    name: 'a fresh host: the conf comes last',
    observed: { ...settled, ...absent },
    actions: ['copyBinary', 'writeKubeconfig', 'writeConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'a new executable',
    observed: { ...settled, binary: 'other' },
    actions: ['copyBinary'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'a new token',
    observed: { ...settled, kubeconfig: 'before' },
    actions: ['writeKubeconfig'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'the default network changed',
    observed: { ...settled, conf: oldConf },
    actions: ['writeConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'somebody spoiled our conf',
    observed: { ...settled, conf: { ...conf, text: '{' } },
    actions: ['writeConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'no default network: nothing is written',
    observed: { defaultNetwork: none, ...absent },
    actions: [],
    installed: false,
    warning: false,
    message: /waiting: .*no default network/,
  },
  {
    name: 'an unreadable default: nothing is written',
    observed: { defaultNetwork: unreadable, ...absent },
    actions: [],
    installed: false,
    warning: true,
    message: /waiting: 10-cbr0\.conflist cannot be read: is no JSON/,
  },
  {
    name: 'the default network went away: ours stays',
    observed: { ...settled, defaultNetwork: none },
    actions: [],
    installed: true,
    warning: true,
    message: /goes on with the last one/,
  },
  {
    name: 'the default became unreadable: ours stays',
    observed: { ...settled, defaultNetwork: unreadable },
    actions: [],
    installed: true,
    warning: true,
    message: /cannot be read.*goes on/,
  },
  {
    name: 'the default went away, a token is due',
    observed: { ...settled, defaultNetwork: none, kubeconfig: 'before', binary: 'other' },
    actions: ['copyBinary', 'writeKubeconfig'],
    installed: true,
    warning: true,
    message: /goes on/,
  },
  {
    name: 'no default network and a spoiled conf of ours',
    observed: { ...settled, defaultNetwork: none, conf: { ...conf, text: '{}' } },
    actions: [],
    installed: false,
    warning: false,
    message: /waiting/,
  },
  {
    name: 'a default that sorts before ours: an early copy',
    observed: { ...settled, defaultNetwork: found('05-cilium.conflist') },
    actions: ['writeEarlyConf'],
    installed: true,
    warning: false,
    message: /wraps network cbr0 of 05-cilium/,
  },
  {
    name: 'loopback that sorts before ours: an early copy',
    observed: { ...settled, defaultNetwork: found('10-cbr0.conflist', { first: '00-loopback.conf' }) },
    actions: ['writeEarlyConf'],
    installed: true,
    warning: false,
    message: /wraps network cbr0 of 10-cbr0/,
  },
  {
    name: 'the default was closed to others',
    observed: { ...settled, defaultNetwork: found('10-cbr0.conflist', { mode: 0o600 }) },
    actions: ['writeConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'the default went away: ours stays as closed as it was',
    observed: { ...settled, defaultNetwork: none, conf: { ...conf, mode: 0o600 } },
    actions: [],
    installed: true,
    warning: true,
    message: /goes on/,
  },
  {
    name: 'an early copy that is in place',
    observed: { ...settled, defaultNetwork: found('05-cilium.conflist'), earlyConf: conf },
    actions: [],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'both copies follow the default network',
    observed: { ...settled, defaultNetwork: found('05-cilium.conflist'), conf: oldConf, earlyConf: oldConf },
    actions: ['writeConf', 'writeEarlyConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'an early copy that nothing needs any more',
    observed: { ...settled, earlyConf: conf },
    actions: ['removeEarlyConf'],
    installed: true,
    warning: false,
    message: /wraps/,
  },
  {
    name: 'the default went away: the early copy stays',
    observed: { ...settled, defaultNetwork: none, earlyConf: conf },
    actions: [],
    installed: true,
    warning: true,
    message: /goes on/,
  },
  {
    name: 'a default that sorts before everything is wrapped, and said',
    observed: { ...settled, defaultNetwork: found('00-aaa.conflist') },
    actions: ['writeEarlyConf'],
    installed: true,
    warning: true,
    message: /00-aaa\.conflist comes before 00-kactus\.conflist/,
  },
]

for (const each of cases) {
  t.test(`plan: ${each.name}`, async t => {
    const plan = planInstall(each.observed, 'wanted', paths)
    t.strictSame(
      plan.actions.map(({ kind }) => kind),
      each.actions,
    )
    t.equal(plan.installed, each.installed)
    t.equal(plan.warning, each.warning)
    t.match(plan.message, each.message)
  })
}

interface PlaceCase {
  readonly name: string
  readonly change: Partial<Observed>
  readonly inPlace: boolean
}

const placeCases: readonly PlaceCase[] = [
  { name: 'all is there', change: {}, inPlace: true },
  { name: 'an older executable works', change: { binary: 'other' }, inPlace: true },
  { name: 'so does an older conf or token', change: { conf: oldConf, kubeconfig: 'before' }, inPlace: true },
  { name: 'no executable', change: { binary: 'missing' }, inPlace: false },
  { name: 'no kubeconfig', change: { kubeconfig: undefined }, inPlace: false },
  { name: 'no conf', change: { conf: undefined }, inPlace: false },
]

for (const { name, change, inPlace } of placeCases) {
  t.test(`plan: in place before anything is done: ${name}`, async t => {
    t.equal(planInstall({ ...settled, ...change }, 'wanted', paths).inPlace, inPlace)
  })
}

t.test('plan: who reads which annotation is said where multus is wrapped', async t => {
  const said = (type: string) => {
    const wrapped = confListFrom({ name: 'm', plugins: [{ type }] })
    return planInstall(
      { ...settled, defaultNetwork: { ...found('10-m.conf'), list: wrapped } as DefaultNetwork },
      'wanted',
      paths,
    )
  }
  for (const type of ['multus', 'multus-shim']) {
    t.match(said(type), { message: /which alone reads k8s\.v1\.cni\.cncf\.io\/networks/, warning: false })
  }
  t.notMatch(said('bridge').message, 'multus')
})

t.test('plan: what is written is what was wanted', async t => {
  const { actions } = planInstall({ ...settled, ...absent }, 'wanted', paths)
  t.strictSame(actions.slice(1), [
    { kind: 'writeKubeconfig', text: 'wanted' },
    { kind: 'writeConf', ...conf },
  ])
})

t.test('paths: mounted below a root, but named as the host sees them', async t => {
  const mounted = installPaths({ cniBinDir: '/opt/cni/bin', cniConfDir: '/etc/cni/net.d', hostRoot: '/host' })
  t.match(mounted, {
    binary: '/host/opt/cni/bin/kactus',
    conf: '/host/etc/cni/net.d/05-kactus.conflist',
    kubeconfig: '/host/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml',
    kubeconfigOnHost: '/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml',
    stateFolder: '/host/var/lib/cni/kactus',
  })
})
