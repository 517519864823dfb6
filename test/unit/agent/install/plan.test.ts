import t from 'tap'
import { renderConf } from '../../../../agent/install/conf.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import { type DefaultNetwork, type Observed, planInstall } from '../../../../agent/install/plan.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'

const paths = installPaths({ cniBinDir: '/opt/cni/bin', cniConfDir: '/etc/cni/net.d', hostRoot: '' })
const list = confListFrom({ name: 'cbr0', cniVersion: '1.0.0', plugins: [{ type: 'bridge' }] })
const found = (file: string): DefaultNetwork => ({ kind: 'found', path: `/etc/cni/net.d/${file}`, list })
const conf = renderConf(list, { kubeconfig: paths.kubeconfigOnHost })
const oldConf = renderConf({ ...list, name: 'before' }, { kubeconfig: paths.kubeconfigOnHost })
const settled: Observed = {
  defaultNetwork: found('10-cbr0.conflist'),
  conf,
  earlyConf: undefined,
  kubeconfig: 'wanted',
  binaryIsCurrent: true,
}
const absent = { conf: undefined, earlyConf: undefined, kubeconfig: undefined, binaryIsCurrent: false }
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
    observed: { ...settled, binaryIsCurrent: false },
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
    observed: { ...settled, conf: '{' },
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
    observed: { ...settled, defaultNetwork: none, kubeconfig: 'before', binaryIsCurrent: false },
    actions: ['copyBinary', 'writeKubeconfig'],
    installed: true,
    warning: true,
    message: /goes on/,
  },
  {
    name: 'no default network and a spoiled conf of ours',
    observed: { ...settled, defaultNetwork: none, conf: '{}' },
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

t.test('plan: what is written is what was wanted', async t => {
  const { actions } = planInstall({ ...settled, ...absent }, 'wanted', paths)
  t.strictSame(actions.slice(1), [
    { kind: 'writeKubeconfig', text: 'wanted' },
    { kind: 'writeConf', text: conf },
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
