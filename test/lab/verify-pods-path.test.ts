import t from 'tap'
import { until } from '../machine/wait.ts'
import { shutNode } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { hasTestTaint, networkCondition, readNode } from './objects.ts'
import {
  conditionOf,
  sandboxTraces,
  untilAllTakenDown,
  untilFails,
  type VerdictDocument,
  verify,
} from './verify-bed.ts'

interface Break {
  readonly name: string
  /** Run on the node; the host's own way must stay whole. */
  readonly make: readonly string[]
  readonly mend: readonly string[]
  /** All that fails from the sandbox. */
  readonly fails: readonly string[]
  /** What the node shows. */
  readonly reason: string
  readonly says: RegExp
}

const nftTable = 'add table inet broken; add chain inet broken pods { type filter hook prerouting priority -300; }'
const dropFromPods = (what: string) => [`nft '${nftTable}; add rule inet broken pods iifname cni0 ${what} drop'`]
const mendTable = ['nft delete table inet broken']
const dropToPods = (what: string) => [
  `nft 'add table inet broken; add chain inet broken pods { type filter hook forward priority 0; }; add rule inet broken pods oifname cni0 ${what} drop'`,
]
/** Nobody hears from this node that a packet was too large. */
const sayNothing = `nft 'add table inet broken; add chain inet broken said { type filter hook output priority 0; }; add rule inet broken said icmp type destination-unreachable icmp code frag-needed drop'`
const useConf = (name: string) => `cp /etc/cni/${name}.json /etc/cni/net.d/10-lab.conflist`

const breaks: readonly Break[] = [
  {
    name: 'UDP to name servers is dropped on the bridge',
    make: dropFromPods('udp dport 53'),
    mend: mendTable,
    fails: ['dns NoAnswer'],
    reason: 'NoAnswer',
    says: /by TCP the server answers/,
  },
  {
    name: 'a route that leads pods nowhere',
    make: ['ip route add unreachable default table 77', 'ip rule add iif cni0 lookup 77'],
    mend: ['ip rule del iif cni0 lookup 77', 'ip route flush table 77'],
    fails: ['api Unreachable', 'dns NoAnswer', 'peers PeersUnreachable', 'tcp Unreachable'],
    reason: 'Unreachable',
    says: /EHOSTUNREACH/,
  },
  {
    name: 'a route that swallows what pods send',
    make: ['ip route add blackhole default table 77', 'ip rule add iif cni0 lookup 77'],
    mend: ['ip rule del iif cni0 lookup 77', 'ip route flush table 77'],
    fails: ['api TimedOut', 'dns NoAnswer', 'peers PeersUnreachable', 'tcp TimedOut'],
    reason: 'TimedOut',
    says: /no answer/,
  },
  {
    name: 'large packets of pods vanish',
    make: dropFromPods('meta length gt 1300'),
    mend: mendTable,
    fails: ['api TimedOut', 'mtu BlackHole'],
    reason: 'BlackHole',
    says: /none of 1420 bytes/,
  },
  {
    name: 'large packets to pods vanish',
    make: dropToPods('meta length gt 1300'),
    mend: mendTable,
    fails: ['api TimedOut', 'mtu BlackHole'],
    reason: 'BlackHole',
    says: /none of 1420 bytes/,
  },
  {
    name: 'a tunnel that is narrower than the pods were told, and nobody hears of it',
    make: ['ip link set nm-lab mtu 1300', sayNothing],
    mend: ['ip link set nm-lab mtu 1420', ...mendTable],
    fails: ['mtu BlackHole'],
    reason: 'BlackHole',
    says: /none of 1420 bytes/,
  },
  {
    name: 'a bridge that is narrower than its pods, and nobody hears of it',
    make: ['ip link set cni0 mtu 1300', sayNothing],
    mend: ['ip link set cni0 mtu 1420', ...mendTable],
    fails: ['api TimedOut', 'mtu BlackHole'],
    reason: 'BlackHole',
    says: /none of 1420 bytes/,
  },
  {
    name: "a pod's cable that is narrower at the node's end",
    // Or the first sandbox would still be attached as the agent before has left it.
    make: [useConf('narrow'), 'rm /etc/cni/net.d/05-kactus.conflist'],
    mend: [useConf('wide')],
    fails: ['mtu BlackHole'],
    reason: 'BlackHole',
    says: /none of 1420 bytes/,
  },
]

/** Small, and all is as it should be: the pods know, or are told. */
const narrows: readonly (Pick<Break, 'name' | 'make' | 'mend'> & { readonly asked: number })[] = [
  {
    name: 'the pods have a small MTU themselves',
    asked: 1300,
    make: [useConf('small')],
    mend: [useConf('wide')],
  },
  {
    name: 'a narrower tunnel, and the node says so',
    asked: 1420,
    make: ['ip link set nm-lab mtu 1300'],
    mend: ['ip link set nm-lab mtu 1420'],
  },
  {
    name: 'a narrower bridge, and the node says so',
    asked: 1420,
    make: ['ip link set cni0 mtu 1300'],
    mend: ['ip link set cni0 mtu 1420'],
  },
]

/** A plugin that makes the node's end of a pod's cable narrower than the pod's. */
const narrowPlugin = `#!${process.execPath}
const conf = JSON.parse(require('fs').readFileSync(0, 'utf8'))
if (process.env.CNI_COMMAND === 'ADD') {
  const cable = conf.prevResult.interfaces.find(each => each.name.startsWith('veth'))
  require('child_process').execFileSync('ip', ['link', 'set', cable.name, 'mtu', '1300'])
  console.log(JSON.stringify(conf.prevResult))
}
`

t.test("the pods' path, from a sandbox on the node's own CNI chain", async t => {
  const lab = await startLab()
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  const [one, two] = [lab.node(1), lab.node(2)]
  await Promise.all([lab.startAgent(two), (await lab.startAgent(one)).stop('SIGTERM', 5000)])
  await conditionOf(lab, two, 'True')
  await prepareConfs(one)

  await t.test('all well: both places pass, and nothing stays', async t => {
    const verdict = await until('n2 to answer probes, and its standing sandbox to be known', async () => {
      const found = await verify(lab, one)
      const passed = (code: string) => found.checks.filter(check => check.code === code && check.result === 'pass')
      return passed('mtu').length === 2 && passed('pods').length === 1 && found
    })
    t.equal(verdict.passed, true)
    for (const from of ['host', 'sandbox']) {
      const codes = verdict.checks
        .filter(check => check.from === from && check.result === 'pass')
        .map(({ code }) => code)
      t.same(
        [...new Set(codes)].sort(),
        [
          'api',
          'dns',
          'mtu',
          'peers',
          'services',
          'tcp',
          ...(from === 'sandbox' ? ['pods', 'sandbox'] : ['wireguard']),
        ].sort(),
        `all checks from the ${from}`,
      )
    }
    t.match(
      verdict.checks.filter(({ code }) => code === 'mtu').map(({ target }) => target),
      [/1420 bytes/, /1420 bytes/],
      "full-size means the interface's own size",
    )
    t.same(await sandboxTraces(one), [])
  })

  for (const row of breaks) {
    await t.test(row.name, async t => {
      await shutNode(lab, one.name)
      for (const command of row.make) await one.run(['sh', '-c', command])
      const agent = await lab.startAgent(one)
      const bad = await until('the condition to say so, and that the host is well', async () => {
        const found = await readNode(lab.api, one.name)
        const { reason, message = '' } = networkCondition(found) ?? {}
        return reason === row.reason && /sandbox/.test(message) && !/\(host\)/.test(message) && found
      })
      t.ok(hasTestTaint(bad), 'the taint stays')
      const verdict = await untilFails(lab, one, row.fails)
      const messages = verdict.checks.filter(check => check.result === 'fail').map(({ message }) => message)
      t.ok(
        messages.every(message => message.startsWith('sandbox: ')),
        'every message names the place',
      )
      t.match(messages.join('\n'), row.says)
      t.ok(hasTestTaint(await readNode(lab.api, 'n1')), 'the taint stays still')
      for (const command of row.mend) await one.run(['sh', '-c', command])
      await until('the lift', async () => !hasTestTaint(await readNode(lab.api, 'n1')))
      // The taint goes first: an agent that is stopped between both leaves a condition that the next row would take for its own.
      await conditionOf(lab, one, 'True')
      await untilAllTakenDown(one, agent)
      t.equal(await agent.stop('SIGTERM', 5000), 0)
      t.same(await sandboxTraces(one), [], 'nothing stays')
    })
  }

  await t.test('a small MTU that pods know of, or are told of, fails nobody', async t => {
    const agent = await lab.startAgent(one)
    await conditionOf(lab, one, 'True')
    for (const row of narrows) {
      for (const command of row.make) await one.run(['sh', '-c', command])
      // The agent follows a network that has changed when it sees it.
      const verdict = await until(`pods of ${row.asked} bytes`, async () => {
        const found = await untilFails(lab, one, [])
        return sizesOf(found).some(({ target }) => target.includes(`${row.asked} bytes`)) && found
      })
      t.match(
        sizesOf(verdict),
        [
          { result: 'pass', target: /^this node/ },
          { result: 'pass', target: /^n2/ },
        ],
        `${row.name}: the own node and the other one were asked`,
      )
      for (const command of row.mend) await one.run(['sh', '-c', command])
    }
    t.equal(await agent.stop('SIGTERM', 5000), 0)
  })

  await t.test('a chain that refuses a sandbox fails the node, whatever it says', async t => {
    for (const [code, words] of [
      [999, 'K8S_POD_NAME is missing'],
      [50, 'no network yet'],
    ] as const) {
      await useChain(lab, 'refuse', `echo '{"code": ${code}, "msg": "${words}"}'; exit 1`)
      for (const from of ['host,sandbox', 'sandbox']) {
        const verdict = await untilFails(lab, one, ['sandbox SandboxRefused'], ['--from', from])
        t.equal(verdict.passed, false, `--from ${from}`)
        t.match(verdict.checks.find(check => check.result === 'fail')?.message, new RegExp(`^sandbox: .*${words}`))
      }
      t.same(await sandboxTraces(one), [])
    }
    await one.run(['rm', '/opt/cni/bin/refuse'])
    const missing = await untilFails(lab, one, ['sandbox SandboxRefused'])
    t.match(missing.checks.find(check => check.result === 'fail')?.message, /"refuse" is not installed/)
  })

  await t.test('a node without a network yet: skipped, and said', async t => {
    await one.run(['sh', '-c', 'rm /etc/cni/net.d/*.conflist'])
    const verdict = await untilFails(lab, one, [])
    t.equal(verdict.passed, true)
    t.match(
      verdict.checks.find(check => check.from === 'sandbox'),
      { result: 'skip', reason: 'NoNetwork' },
    )
  })
})

/** Makes a network that comes before all others, with a plugin of so many shell words. */
async function useChain(lab: Lab, name: string, script: string): Promise<void> {
  const node = lab.node(1)
  const list = JSON.stringify({ cniVersion: '1.0.0', name: 'first', plugins: [{ type: name }] })
  await node.run(['sh', '-c', 'cat >"$1"; chmod +x "$1"', 'sh', `/opt/cni/bin/${name}`], {
    input: `#!/bin/sh\ncat >/dev/null\n[ "$CNI_COMMAND" != DEL ] || exit 0\n${script}\n`,
  })
  await node.run(['sh', '-c', 'cat >/etc/cni/net.d/00-first.conflist'], { input: list })
}

function sizesOf({ checks }: VerdictDocument) {
  return checks.filter(({ code, from }) => code === 'mtu' && from === 'sandbox')
}

/** Other networks for pods, for tests to put in place: as it is, with a narrow cable, with a small MTU for pods. */
async function prepareConfs(node: LabNode): Promise<void> {
  const text = await node.run(['cat', '/etc/cni/net.d/10-lab.conflist'])
  const conf = JSON.parse(text) as { plugins: readonly object[] }
  const confs = {
    wide: conf,
    narrow: { ...conf, plugins: [...conf.plugins, { type: 'narrow' }] },
    small: { ...conf, plugins: conf.plugins.map(plugin => ({ ...plugin, mtu: 1300 })) },
  }
  for (const [name, list] of Object.entries(confs)) {
    await node.run(['sh', '-c', `cat >/etc/cni/${name}.json`], { input: JSON.stringify(list) })
  }
  const plugin = '/opt/cni/bin/narrow'
  await node.run(['sh', '-c', `cat >${plugin}; chmod +x ${plugin}`], { input: narrowPlugin })
}
