import t from 'tap'
import { sendRequest } from '../cluster/api-client.ts'
import { until } from '../machine/wait.ts'
import { account } from './agent.ts'
import {
  addTaint,
  agentRequests,
  type GateNode,
  isOpen,
  readMetric,
  untilOpen,
  untilSaid,
  untilVerified,
  watchNodes,
} from './gate-bed.ts'
import { startLab } from './lab.ts'
import { ask, hasTestTaint, readNode, verifiedLabel } from './objects.ts'

const settings = `[verify]
dns-domains = kubernetes.default.svc.cluster.local
check-timeout = 1s
interval = 500ms
from = host

[gate]
mode = continuous
bad = 2
good = 2s
max-unavailable = 20%
`
const foreignTaint = { key: 'example.com/maintenance', value: 'disks', effect: 'NoSchedule' }
const names = ['n1', 'n2', 'n3'] as const

const lab = await startLab({ nodes: names.length })
t.teardown(async () => {
  if (!t.passing()) t.comment(lab.run.logTails(40))
  await lab.stop()
})
for (const name of names) await addTaint(lab, name, foreignTaint)
const agents = await Promise.all(lab.nodes.map(node => lab.startAgent(node, { settings })))
for (const name of names) await untilOpen(lab, name)

await t.test('all nodes fail at once: one is tainted, never two', async t => {
  const history = await watchNodes(lab)
  await lab.dns.stop()
  const tainted = await until('one to be tainted', async () => (await taintedNodes())[0], { limitMs: 60_000 })
  for (const name of names) await untilSaid(lab, name, 'NoAnswer')
  const refused = () => agents.filter(agent => agent.log().includes('as many nodes are tainted as may be'))
  await until('the others to find no room', () => refused().length === 2, { limitMs: 60_000 })
  t.same((await taintedNodes()).map(nameOf), [nameOf(tainted)])
  t.equal(mostAtOnce(history.seen), 1, 'at no moment two')
  t.notOk(tainted.metadata.labels?.[verifiedLabel], 'its label is gone')
  t.match(tainted.spec.taints, [foreignTaint, { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' }])
  for (const each of await openNodes()) t.ok(isOpen(each), 'the others are as they were')
  await until('an Event to say so', () => hasEvent(nameOf(tainted), 'TaintAdded'))
  t.equal(await readMetric(lab.node(names.indexOf(nameOf(tainted)) + 1), 'nopal_gate_taint_writes_total'), 2)
  history.close()
})

await t.test('its fault ends: it settles, and is let in', async t => {
  const [tainted] = await taintedNodes()
  const history = await watchNodes(lab)
  await lab.dns.start()
  await untilOpen(lab, nameOf(tainted))
  await until('the watch to tell', () => history.seen.some(each => nameOf(each) === nameOf(tainted) && isOpen(each)))
  const said = history.seen.filter(each => nameOf(each) === nameOf(tainted)).map(reasonOf)
  t.ok(said.includes('Settling'), `it said so before: ${[...new Set(said)].join(', ')}`)
  t.same((await readNode(lab.api, nameOf(tainted))).spec.taints, [foreignTaint])
  history.close()
})

await t.test('while it flaps every taint has its lift, and no two nodes are tainted', async t => {
  const history = await watchNodes(lab)
  for (let turn = 1; turn <= 3; turn += 1) {
    await lab.dns.stop()
    await until('a taint', async () => (await taintedNodes())[0], { limitMs: 90_000 })
    await lab.dns.start()
    for (const name of names) await untilOpen(lab, name)
  }
  t.equal(mostAtOnce(history.seen), 1)
  const changes = names.map(name => history.seen.filter(each => nameOf(each) === name).map(hasTestTaint))
  const taints = changes.flatMap(states => states.filter((state, at) => state && states[at - 1] === false))
  t.equal(taints.length, 3, 'one taint for each fault')
  history.close()
})

await t.test('without the right to count, nobody is tainted', async t => {
  await forbidLeases()
  await lab.dns.stop()
  for (const name of names) await untilSaid(lab, name, 'NoAnswer')
  const refused = async () =>
    (await lab.api.requests()).some(({ path, code }) => path.includes('/leases') && code === 403)
  await until('the right to be asked for', refused, { limitMs: 60_000 })
  await Promise.all(lab.nodes.map(node => untilVerified(node, 1)))
  t.same((await taintedNodes()).map(nameOf), [])
})

await t.test('SIGTERM ends the agents with 0', async t => {
  t.same(await Promise.all(agents.map(agent => agent.stop('SIGTERM', 5000))), [0, 0, 0])
  t.comment(`${(await agentRequests(lab)).length} requests of three agents in all`)
})

async function readNodes(): Promise<readonly GateNode[]> {
  return ((await ask(lab.api, { method: 'GET', path: '/api/v1/nodes' })) as { items: GateNode[] }).items
}

async function taintedNodes(): Promise<readonly GateNode[]> {
  return (await readNodes()).filter(hasTestTaint)
}

async function openNodes(): Promise<readonly GateNode[]> {
  return (await readNodes()).filter(each => !hasTestTaint(each))
}

function nameOf(node: GateNode | undefined): (typeof names)[number] {
  const name = names.find(each => each === node?.metadata.name)
  if (name === undefined) throw new Error('no node of the lab')
  return name
}

function reasonOf(node: GateNode): string {
  return node.status?.conditions?.find(({ type }) => type === 'nopal.io/NetworkReady')?.reason ?? '-'
}

/** Most nodes with our taint at any one state of the cluster. */
function mostAtOnce(seen: readonly GateNode[]): number {
  const now = new Map<string, boolean>()
  return Math.max(
    ...seen.map(node => {
      now.set(node.metadata.name, hasTestTaint(node))
      return [...now.values()].filter(Boolean).length
    }),
  )
}

async function hasEvent(node: string, reason: string): Promise<boolean> {
  const path = '/apis/events.k8s.io/v1/namespaces/default/events'
  const { items } = (await ask(lab.api, { method: 'GET', path })) as {
    items: readonly { reason: string; regarding: { name: string } }[]
  }
  return items.some(each => each.reason === reason && each.regarding.name === node)
}

/** Returns once the API server goes by it, which is a moment after it has taken it. */
async function forbidLeases(): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/nopal/roles/nopal-agent'
  const role = (await ask(lab.api, { method: 'GET', path })) as { rules: readonly { resources: readonly string[] }[] }
  const rules = role.rules.filter(({ resources }) => !resources.includes('leases'))
  await ask(lab.api, { method: 'PATCH', path, body: { rules }, contentType: 'application/merge-patch+json' })
  const agent = await lab.api.targetFor(account.namespace, account.name)
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${account.namespace}/leases/nopal-gate`
  await until('leases to be forbidden', async () => {
    return (await sendRequest(agent, { method: 'GET', path: lease })).code === 403
  })
}
