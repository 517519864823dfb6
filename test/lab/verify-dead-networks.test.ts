import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../machine/wait.ts'
import { agentRequests, isOpen, shutNode, untilOpen, watchNodes } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { hasTestTaint, networkCondition, readNode } from './objects.ts'
import { conditionOf, recordsOn, sandboxTraces, verify } from './verify-bed.ts'

interface DeadNetwork {
  readonly name: string
  /** Shell words that break the node's network, and those that mend it. */
  readonly make: readonly string[]
  readonly mend: readonly string[]
  readonly reason: 'SandboxRefused' | 'SandboxTimedOut'
  /** The plugin's own words, as the node shows them. */
  readonly says: RegExp
}

const leases = '/var/lib/cni/networks/lab'

/**
 * A network whose plugin finds its daemon by a file, as many do, and whose own words stand in for those of the real one;
 * with the file there it is a bridge.
 */
function daemonAway(plugin: string, file: string, words: string): Pick<DeadNetwork, 'make' | 'mend'> {
  const script = `#!/bin/sh
if [ ! -e ${file} ] && [ "$CNI_COMMAND" = ADD ]; then
  cat >/dev/null
  cat <<'WORDS'
${JSON.stringify({ cniVersion: '1.0.0', code: 999, msg: words })}
WORDS
  exit 1
fi
sed 's/"type":"${plugin}"/"type":"bridge"/' | "\${0%/*}/bridge"
`
  const folder = file.slice(0, file.lastIndexOf('/'))
  return {
    make: [
      `rm -rf ${folder}`,
      `cat >/opt/cni/bin/${plugin} <<'END'\n${script}END`,
      `chmod +x /opt/cni/bin/${plugin}`,
      `sed 's/"bridge",/"${plugin}",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: [`mkdir -p ${folder}`, `touch ${file}`],
  }
}

/** A plugin that never ends, whatever it is asked. */
function hanging(plugin: string): Pick<DeadNetwork, 'make' | 'mend'> {
  const path = `/opt/cni/bin/${plugin}`
  return {
    make: [
      `printf '#!/bin/sh\\nwhile :; do sleep 0.1; done\\n' >${path}`,
      `chmod +x ${path}`,
      `sed 's/"bridge",/"${plugin}",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: [`cp /opt/cni/bin/bridge ${path}.new`, `mv ${path}.new ${path}`],
  }
}

const deadNetworks: readonly DeadNetwork[] = [
  {
    name: 'host-local has no address left: a /29 with all of them reserved',
    make: [
      `sed 's/10.42.1.0\\/24/10.42.1.0\\/29/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
      `mkdir -p ${leases}`,
      `for last in 2 3 4 5 6; do printf other >${leases}/10.42.1.$last; done`,
    ],
    mend: [`rm ${leases}/10.42.1.4`],
    reason: 'SandboxRefused',
    says: /no IP addresses available in range set: 10\.42\.1\.1-10\.42\.1\.6/,
  },
  {
    name: 'the bridge already has an address of another range',
    make: ['ip link add cni0 type bridge', 'ip address add 10.99.0.1/24 dev cni0', 'ip link set cni0 up'],
    mend: ['ip address flush dev cni0'],
    reason: 'SandboxRefused',
    says: /"cni0" already has an IP address different from 10\.42\.1\.1\/24/,
  },
  {
    name: 'flannel is away',
    ...daemonAway(
      'flannel',
      '/run/flannel/subnet.env',
      "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.",
    ),
    reason: 'SandboxRefused',
    says: /failed to load flannel 'subnet\.env' file: open \/run\/flannel\/subnet\.env: no such file/,
  },
  {
    name: 'Calico is away',
    ...daemonAway(
      'calico',
      '/var/lib/calico/nodename',
      'stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/',
    ),
    reason: 'SandboxRefused',
    says: /stat \/var\/lib\/calico\/nodename: no such file or directory: check that the calico\/node container is running/,
  },
  {
    name: 'Cilium is away',
    ...daemonAway(
      'cilium-cni',
      '/run/cilium/cilium.sock',
      'unable to connect to Cilium daemon: failed to create cilium agent client: Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory\nIs the agent running?',
    ),
    reason: 'SandboxRefused',
    says: /dial unix \/var\/run\/cilium\/cilium\.sock: connect: no such file or directory Is the agent running\?/,
  },
  {
    name: 'a plugin is missing',
    make: [
      'cp /opt/cni/bin/bridge /opt/cni/bin/other',
      'mv /opt/cni/bin/other /opt/cni/kept',
      `sed 's/"bridge",/"other",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: ['mv /opt/cni/kept /opt/cni/bin/other'],
    reason: 'SandboxRefused',
    says: /"other" is not installed/,
  },
  {
    name: 'a plugin hangs',
    ...hanging('hung'),
    reason: 'SandboxTimedOut',
    says: /did not end within/,
  },
]

/** As a node is that was never verified, and whose pods are all gone. */
const fresh = [
  'rm -rf /etc/cni/net.d/* /var/lib/cni/networks /var/lib/cni/kactus /var/lib/cni/nopal',
  'ip link delete cni0 2>/dev/null || :',
  'cp /etc/cni/whole.json /etc/cni/net.d/10-lab.conflist',
]

t.test('a network that attaches no sandbox keeps the node shut', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(60))
    await lab.stop()
  })
  const node = lab.node(1)
  await onNode(node, [
    'tr -d "\\n" </etc/cni/net.d/10-lab.conflist | sed \'s/: */:/g; s/,  */,/g\' >/etc/cni/whole.json',
  ])

  for (const row of deadNetworks) {
    await t.test(row.name, async t => {
      await onNode(node, [...fresh, ...row.make])
      await shutNode(lab, node.name)
      const agent = await lab.startAgent(node)
      const bad = await conditionOf(lab, node, 'False')
      t.match(networkCondition(bad), { reason: row.reason, message: row.says })
      t.match(networkCondition(bad)?.message, /^sandbox: Sandbox/, 'and nothing else is wrong')
      t.ok(hasTestTaint(bad), 'the taint stays')
      await aWhileShut(t, lab, row)

      const history = await watchNodes(lab)
      const mendedMs = performance.now()
      await onNode(node, row.mend)
      await until('the lift', () => history.seen.some(isOpen), { limitMs: 40_000, everyMs: 5 })
      t.comment(`${row.name}: open ${Math.round(performance.now() - mendedMs)} ms after the network attaches again`)
      history.close()
      t.match(networkCondition(await untilOpen(lab, 'n1')), { reason: 'Verified', message: 'every check has passed' })
      await until('all but the standing sandbox to be taken down', () => recordsOn(node).length <= 1)
      t.equal(await agent.stop('SIGTERM', 5000), 0)
      t.same(await tracesOf(node), [], 'nothing stays')
    })
  }

  await t.test('where only the host is asked the node opens, and says so', async t => {
    const [dead] = deadNetworks
    await onNode(node, [...fresh, ...(dead?.make ?? [])])
    await shutNode(lab, node.name)
    const settings = '[verify]\ndns-domains = kubernetes.default.svc.cluster.local\nfrom = host\n'
    const agent = await lab.startAgent(node, { settings })
    await untilOpen(lab, 'n1')
    // The condition that an earlier agent left passes too, until it is written after the lift.
    const said = /the path of pods was not tried \(verify\.from is host\)/
    await until('the condition to say so', async () =>
      said.test(networkCondition(await readNode(lab.api, 'n1'))?.message ?? ''),
    )
    t.equal(await agent.stop('SIGTERM', 5000), 0)
  })

  await t.test('a plugin that hangs in a sandbox ends with the agent', async t => {
    await onNode(node, [...fresh, ...hanging('endless').make])
    const agent = await lab.startAgent(node)
    for (const by of ['agent', 'kactus']) {
      // The second one is started by kactus, which by then is the node's network, in a process group of its own.
      await until(`${by} to be hung up on`, async () => (await hungPlugins(node, by)) > 0)
    }
    t.equal(await agent.stop('SIGTERM', 5000), 0)
    t.equal((await hungPlugins(node, 'agent')) + (await hungPlugins(node, 'kactus')), 0)
  })

  await t.test('a verification that hangs in a sandbox does not hold up the one that finds it well', async t => {
    const refuses = deadNetworks.find(({ name }) => name.startsWith('flannel'))
    await onNode(node, [...fresh, ...(refuses?.make ?? [])])
    await shutNode(lab, node.name)
    // So long that the test would end first.
    const settings = '[verify]\ndns-domains = kubernetes.default.svc.cluster.local\ncheck-timeout = 10m\n'
    const agent = await lab.startAgent(node, { settings })
    await until('the verdict', async () =>
      refuses?.says.test(networkCondition(await readNode(lab.api, 'n1'))?.message ?? ''),
    )
    await onNode(node, ['cp /opt/cni/bin/flannel /etc/cni/kept', ...hanging('flannel').make])
    const hung = async () => (await hungPlugins(node, 'agent')) + (await hungPlugins(node, 'kactus'))
    await until('two to hang: the verification, and a try', async () => (await hung()) > 1, { limitMs: 60_000 })
    await onNode(node, ['mv /etc/cni/kept /opt/cni/bin/flannel', ...(refuses?.mend ?? [])])
    await untilOpen(lab, 'n1')
    t.equal(await agent.stop('SIGTERM', 5000), 0)
  })

  await t.test('by hand the same is said', async t => {
    const [dead] = deadNetworks
    await onNode(node, [...fresh, ...(dead?.make ?? [])])
    for (const from of ['host,sandbox', 'sandbox']) {
      const { passed, checks } = await verify(lab, node, ['--from', from])
      t.equal(passed, false, from)
      const [refused, ...others] = checks.filter(check => check.from === 'sandbox')
      t.match(refused, { code: 'sandbox', result: 'fail', reason: 'SandboxRefused', message: dead?.says })
      t.match(refused?.message, /^sandbox: network lab: /)
      t.ok(others.length > 0 && others.every(check => check.reason === 'DependencyFailed'))
    }
  })
})

/** Neither opens nor asks anything of the API. */
async function aWhileShut(t: Test, lab: Lab, { reason, says }: DeadNetwork): Promise<void> {
  // What belongs to the first verdict, its Event above all, has been sent by then.
  await sleep(1_500)
  // The condition is written once more where kactus, which is the network by then, says the same in its own words; and
  // the node's part in the mesh is published when the start is over.
  const others = ({ path }: { readonly path: string }) => !path.endsWith('/status') && !path.includes('/nodenetworks')
  const asked = async () => (await agentRequests(lab)).filter(others).length
  const before = await asked()
  await sleep(4_000)
  const node = await readNode(lab.api, 'n1')
  t.ok(hasTestTaint(node) && !isOpen(node), 'it stays shut')
  t.match(networkCondition(node), { reason, message: says })
  t.equal(await asked(), before, 'and its tries ask nothing of the API')
}

async function onNode(node: LabNode, commands: readonly string[]): Promise<void> {
  await node.run(['sh', '-ec', commands.join('\n')])
}

/** How many plugins hang that the agent, or its kactus, has started. */
async function hungPlugins(node: LabNode, by: string): Promise<number> {
  const script = `
    for process in /proc/[0-9]*; do
      [ "$(readlink "$process/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || continue
      tr '\\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q '^/bin/sh /opt/cni/bin/' || continue
      starter=$(tr '\\0' ' ' <"/proc/$(cut -d' ' -f4 <"$process/stat")/cmdline" 2>/dev/null)
      case $starter in *kactus*) echo kactus;; *) echo agent;; esac
    done`
  const { stdout } = await node.exec(['sh', '-c', script])
  return stdout.split('\n').filter(line => line === by).length
}

/** Apart from what the test itself has put there. */
async function tracesOf(node: LabNode): Promise<readonly string[]> {
  return (await sandboxTraces(node)).filter(trace => !trace.startsWith('cni0'))
}
