import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../machine/wait.ts'
import { type DeadNetwork, deadNetworks, fresh, hanging, keepWhole, onNode } from './dead-networks.ts'
import { agentRequests, isOpen, shutNode, untilOpen, watchNodes } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { hasTestTaint, networkCondition, readNode } from './objects.ts'
import { processesOn } from './processes.ts'
import { sandboxTraces, untilAllTakenDown, verify } from './verify-bed.ts'

t.test('a network that attaches no sandbox keeps the node shut', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(60))
    await lab.stop()
  })
  const node = lab.node(1)
  await keepWhole(node)

  for (const row of deadNetworks) {
    await t.test(row.name, async t => {
      await onNode(node, [...fresh, ...row.make])
      await shutNode(lab, node.name)
      const agent = await lab.startAgent(node)
      t.teardown(() => agent.stop())
      // A machine that is busy may be late with other answers, too, at first.
      const bad = await until('the condition to say that, and that nothing else is wrong', async () => {
        const found = await readNode(lab.api, node.name)
        const { reason, message = '' } = networkCondition(found) ?? {}
        return reason === row.reason && message.startsWith('sandbox: Sandbox') && found
      })
      t.match(networkCondition(bad), { status: 'False', message: row.says })
      t.ok(hasTestTaint(bad), 'the taint stays')
      await aWhileShut(t, lab, row)

      const history = await watchNodes(lab)
      const mendedMs = performance.now()
      await onNode(node, row.mend)
      await until('the lift', () => history.seen.some(isOpen), { limitMs: 60_000, everyMs: 5 })
      t.comment(`${row.name}: open ${Math.round(performance.now() - mendedMs)} ms after the network attaches again`)
      history.close()
      t.match(networkCondition(await untilOpen(lab, 'n1')), { reason: 'Verified', message: 'every check has passed' })
      await untilAllTakenDown(node, agent)
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
    for (const by of ['agent', 'kactus'] as const) {
      // The second one is started by kactus, which by then is the node's network, in a process group of its own.
      await until(`${by} to be hung up on`, () => hungPlugins(node, by) > 0)
    }
    t.equal(await agent.stop('SIGTERM', 5000), 0)
    t.equal(hungPlugins(node, 'agent') + hungPlugins(node, 'kactus'), 0)
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
    const hung = () => hungPlugins(node, 'agent') + hungPlugins(node, 'kactus')
    await until('two to hang: the verification, and a try', () => hung() > 1)
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
  // The condition is written once more where kactus, which is the network by then, says the same in its own words; and
  // what belongs to the end of the start is asked once.
  const once = /\/status$|\/nodenetworks|\/servicecidrs$/
  const asked = async () => (await agentRequests(lab)).filter(({ path }) => !once.test(path)).length
  // There is a try in each second. The Event of the first verdict may be on its way at first.
  await until('four seconds in which its tries ask nothing of the API', async () => {
    const before = await asked()
    await sleep(4_000)
    return (await asked()) === before
  })
  const node = await readNode(lab.api, 'n1')
  t.ok(hasTestTaint(node) && !isOpen(node), 'it stays shut')
  t.match(networkCondition(node), { reason, message: says })
}

/** How many plugins hang that the agent, or its kactus, has started. */
function hungPlugins(node: LabNode, by: 'agent' | 'kactus'): number {
  const hung = processesOn(node).filter(({ command }) => command.startsWith('/bin/sh /opt/cni/bin/'))
  return hung.filter(({ starter }) => starter.includes('kactus') === (by === 'kactus')).length
}

/** Apart from what the test itself has put there. */
async function tracesOf(node: LabNode): Promise<readonly string[]> {
  return (await sandboxTraces(node)).filter(trace => !trace.startsWith('cni0'))
}
