import t from 'tap'
import { until } from '../machine/wait.ts'
import { untilOpen } from './gate-bed.ts'
import { startLab } from './lab.ts'
import { mesh } from './mesh.ts'
import type { LabNode } from './node.ts'
import { networkCondition, readNode } from './objects.ts'
import { podsBed } from './pods-bed.ts'
import { isElsewhere, processesOn } from './processes.ts'
import { conditionOf, recordsOn, sandboxTraces, untilNoTraces } from './verify-bed.ts'

t.test('pods of two nodes', async t => {
  const lab = await startLab({ nodes: 3, api: 'real' })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  const bed = podsBed(lab)
  const [one, two, three] = [lab.node(1), lab.node(2), lab.node(3)]
  const agents = await Promise.all(lab.nodes.map(node => lab.startAgent(node)))
  for (const node of lab.nodes) await untilOpen(lab, node.name)

  await t.test('each node keeps one standing sandbox, without a process, at one address of its range', async t => {
    for (const node of lab.nodes) {
      const [address, ...more] = await bed.untilPublished(node)
      t.same(more, [])
      t.match(address, new RegExp(`^10\\.42\\.${node.plan.number}\\.`))
      t.same(strangersOn(node), [], 'no process is in it')
      await until('no other sandbox', () => recordsOn(node).length === 1)
    }
    for (const node of lab.nodes)
      await bed.untilPods(
        node,
        othersOf(node, lab.nodes).map(other => `${other} pass`),
      )
  })

  await t.test('a path cut between two of three, while hosts talk: named on both, gated on neither', async () => {
    await dropPods(one, two)
    await bed.untilPods(one, ['n1 to n2 warn', 'n1 to n3 pass'])
    await bed.untilPods(two, ['n2 to n1 warn', 'n2 to n3 pass'])
    await bed.untilPods(three, ['n3 to n1 pass', 'n3 to n2 pass'])
    for (const node of lab.nodes) await untilOpen(lab, node.name)
    await mend(one)
    await bed.untilPods(one, ['n1 to n2 pass', 'n1 to n3 pass'])
  })

  await t.test('cut for one node towards all: that node, and no other', async () => {
    await dropPods(one, two, three)
    await bed.untilPods(one, ['n1 to n2 fail', 'n1 to n3 fail'])
    await until('the condition to say so', async () => {
      const said = networkCondition(await readNode(lab.api, 'n1'))
      return said?.status === 'False' && said.reason === 'PodsUnreachable'
    })
    await bed.untilPods(two, ['n2 to n1 warn', 'n2 to n3 pass'])
    await bed.untilPods(three, ['n3 to n1 warn', 'n3 to n2 pass'])
    for (const name of ['n2', 'n3']) await untilOpen(lab, name)
    await mend(one)
    await untilOpen(lab, 'n1')
  })

  await t.test('large packets alone that vanish are seen', async t => {
    await one.run(['nft', `${table} add rule inet broken pods iifname ${mesh.device} meta length gt 1300 drop`])
    await one.run(['nft', `add rule inet broken pods oifname ${mesh.device} meta length gt 1300 drop`])
    const [found] = await bed.untilPods(one, ['n1 to n2 fail', 'n1 to n3 fail'])
    t.match(found?.message, /by packets of 1420 bytes: no answer/)
    await mend(one)
    await untilOpen(lab, 'n1')
  })

  await t.test('allowed-ips of a node gone at all others: that node says so, and it is published', async t => {
    const key = (await one.run(['wg', 'show', mesh.device, 'public-key'])).trim()
    const allow = (node: LabNode, networks: string) =>
      node.run(['wg', 'set', mesh.device, 'peer', key, 'allowed-ips', networks])
    await allow(two, `${one.plan.meshAddress}/32`)
    await bed.untilChecks(one, 'egress', ['10.42.1.0/24 warn'])
    await allow(three, `${one.plan.meshAddress}/32`)
    await bed.untilChecks(one, 'egress', ['10.42.1.0/24 fail'])
    await until('it to be published', async () => (await bed.network('n1')).status?.egress?.routed === 0)
    t.match(await bed.status(one), /egress +10\.42\.1\.0\/24: no allowed-ip of this node at any of 2 peers/)
    for (const node of [two, three]) await allow(node, `${one.plan.meshAddress}/32,${one.plan.podCidr}`)
    await bed.untilChecks(one, 'egress', ['10.42.1.0/24 pass'])
    await untilOpen(lab, 'n1')
  })

  await t.test('a full node is not a broken one', async t => {
    await until('all to be well', async () => (await bed.checks(one, 'sandbox')).join() === 'sandbox pass')
    // A probe of the moment has an address, which it gives back: then that one is taken, too.
    await until('no address to be left', async () => {
      await one.run(['sh', '-c', fillRange])
      return (await bed.checks(one, 'sandbox')).join() === 'sandbox warn'
    })
    await untilOpen(lab, 'n1')
    await bed.untilPods(two, ['n2 to n1 pass', 'n2 to n3 pass'])
    t.comment('the standing sandbox works no more: then it is a failure')
    await one.run([
      'sh',
      '-c',
      'for end in $(ip -o link show master cni0 | cut -d: -f2 | cut -d@ -f1); do ip link set "$end" down; done',
    ])
    await bed.untilChecks(one, 'sandbox', ['sandbox fail'])
    await conditionOf(lab, one, 'False')
    await one.run(['sh', '-c', 'grep -l filler /var/lib/cni/networks/lab/* | xargs rm'])
    await untilOpen(lab, 'n1')
  })

  await t.test('another network: the standing sandbox is made anew in it', async t => {
    const before = await bed.untilPublished(one)
    await one.run(['sed', '-i', 's/"mtu": 1420/"mtu": 1400/', '/etc/cni/net.d/10-lab.conflist'])
    const after = await until('another address', async () => {
      const found = await bed.untilPublished(one)
      return found.join() !== before.join() && found
    })
    t.match(after[0], /^10\.42\.1\./)
    await bed.untilPods(two, ['n2 to n1 pass', 'n2 to n3 pass'])
    await until('one record', () => recordsOn(one).length === 1)
  })

  await t.test('an agent that ends gives it back; one that is killed leaves what the next one takes away', async t => {
    const [first, second] = agents
    t.equal(await first?.stop('SIGTERM', 5000), 0)
    t.same(await sandboxTraces(one), [])
    await second?.stop('SIGKILL')
    t.not(recordsOn(two).length, 0, 'it is on record')
    const before = await bed.untilPublished(two)
    agents[1] = await lab.startAgent(two)
    await until('a new one', async () => (await bed.untilPublished(two)).join() !== before.join())
    await until('the old one to be swept', () => recordsOn(two).length === 1)
    t.equal(await agents[1]?.stop('SIGTERM', 5000), 0)
    await untilNoTraces(two)
  })

  await t.test('uninstall gives back what a killed agent has left', async t => {
    await agents[2]?.stop('SIGKILL')
    t.not(recordsOn(three).length, 0, 'it is on record')
    await lab.run.run([three.nopalScript, 'uninstall'])
    await untilNoTraces(three)
  })
})

const table = 'add table inet broken; add chain inet broken pods { type filter hook forward priority 0; };'

/** Drops what pods of a node and of others send each other; hosts talk on. */
async function dropPods(node: LabNode, ...others: readonly LabNode[]): Promise<void> {
  const rules = others.map(({ plan: { podCidr } }) =>
    [`ip saddr ${podCidr} drop`, `ip daddr ${podCidr} drop`]
      .map(rule => `add rule inet broken pods ${rule}`)
      .join('; '),
  )
  await node.run(['nft', `${table} ${rules.join('; ')}`])
}

async function mend(node: LabNode): Promise<void> {
  await node.run(['nft', 'delete', 'table', 'inet', 'broken'])
}

function othersOf(node: LabNode, nodes: readonly LabNode[]): readonly string[] {
  return nodes.filter(other => other !== node).map(other => `${node.name} to ${other.name}`)
}

/** Gives every address that is left to somebody, as host-local writes it down. */
const fillRange = `cd /var/lib/cni/networks/lab
for last in $(seq 2 254); do [ -e "10.42.1.$last" ] || printf 'filler\\neth0' >"10.42.1.$last"; done`

/** Processes of the node in other networks than its own, those of probes aside. */
function strangersOn(node: LabNode): readonly string[] {
  const away = processesOn(node).filter(each => isElsewhere(each, node))
  return away.map(({ command }) => command).filter(command => !command.includes('probe --host-root'))
}
