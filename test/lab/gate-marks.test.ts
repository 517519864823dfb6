import t from 'tap'
import type { Program } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { defaultSettings } from './agent.ts'
import {
  addTaint,
  agentRequests,
  type GateNode,
  isOpen,
  nodePath,
  readMetric,
  setLabels,
  shutNode,
  untilOpen,
  untilSaid,
  untilVerified,
  watchNodes,
} from './gate-bed.ts'
import { startLab } from './lab.ts'
import { ask, createNode, hasTestTaint, networkCondition, readNode, testTaint, verifiedLabel } from './objects.ts'
import { startWriters } from './taint-writers.ts'

const lab = await startLab({ nodes: 1 })
t.teardown(async () => {
  if (!t.passing()) t.comment(lab.run.logTails(40))
  await lab.stop()
})
const node = lab.node(1)
/** What an agent asks for when its start is over. */
const later = /\/nodenetworks|\/servicecidrs$/
/** By then the gate has opened, where it opens at the first verdict; without one a node publishes itself after the second. */
const [afterVerdictMs, longestMs] = [2_000, 10_000]

await t.test('from start to lift, and then settled: what it costs the API', async t => {
  const history = await watchNodes(lab)
  const startMs = Date.now()
  // No question goes unanswered because this machine is busy: each failure has its own price.
  const agent = await lab.startAgent(node, { settings: defaultSettings.replace('= 2s', '= 60s') })
  await until('the lift', () => history.seen.some(isOpen), { limitMs: 120_000 })
  await untilVerified(node, 3)
  // Both come once, when the start is over: what the node is in the mesh, and the networks that no endpoint can be in.
  await until('the start to be over', async () => (await isPublished()) && (await isAsked('/servicecidrs')), {
    limitMs: 120_000,
  })
  const all = await agentRequests(lab)
  for (const { verb, path, code, time } of all) t.comment(`${time - startMs} ms: ${verb} ${path} ${code}`)
  const first = all.filter(({ path }) => !later.test(path))
  t.ok(first.length <= 10 + 2 * (await failures()), `${first.length} requests`)
  const published = all.find(({ path }) => path.includes('/nodenetworks'))?.time ?? 0
  const mayMs = Math.min(firstVerdictMs(agent) + afterVerdictMs, startMs + longestMs)
  t.ok(published >= mayMs, 'what the node publishes of itself can wait')
  t.same(await askedByTen(), [], 'ten more verifications ask nothing of the API')
  history.close()
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

await t.test('among other writers only our taint goes', async t => {
  const history = await watchNodes(lab)
  const writers = startWriters(lab.api, 'n1', 3)
  const agent = await lab.startAgent(node)
  const lifts = 3
  for (let lift = 1; lift <= lifts; lift += 1) {
    if (!hasTestTaint(await readNode(lab.api, 'n1'))) await addTaintAmongOthers()
    await until(`lift ${lift}`, async () => !hasTestTaint(await readNode(lab.api, 'n1')), { limitMs: 60_000 })
  }
  t.equal(await agent.stop('SIGTERM', 5000), 0)
  const { taints, statuses } = await writers.stop()
  t.comment(`${taints} writes of taints and ${statuses} of the status by others, ${history.seen.length} states seen`)
  await until(
    'all to be seen',
    async () => history.seen.at(-1)?.metadata.resourceVersion === (await readGateNode()).metadata.resourceVersion,
  )
  const changes = history.seen.slice(1).map((now, at) => ({ was: history.seen[at] as GateNode, now }))
  const lifted = changes.filter(({ was, now }) => hasTestTaint(was) && !hasTestTaint(now))
  t.equal(lifted.length, lifts)
  for (const { was, now } of lifted) t.same(now.spec.taints ?? [], foreign(was), 'all others stay, in their order')
  history.close()
  await removeForeign()
})

await t.test('label games: each is verified afresh', async t => {
  await shutNode(lab, 'n1')
  const agent = await lab.startAgent(node)
  await untilOpen(lab, 'n1')
  const games = [
    { name: 'removed', play: () => setLabels(lab, 'n1', { [verifiedLabel]: null }) },
    { name: 'changed', play: () => setLabels(lab, 'n1', { [verifiedLabel]: 'no' }) },
    { name: 'removed, and the taint put back', play: () => shutNode(lab, 'n1') },
    { name: 'the taint put back alone', play: () => addTaint(lab, 'n1', testTaint) },
  ]
  for (const { name, play } of games) {
    const said = agent.log().split('verifies again').length
    await play()
    await untilOpen(lab, 'n1')
    const times = agent.log().split('verifies again').length - said
    t.equal(times, name === 'the taint put back alone' ? 0 : 1, `${name}: open again`)
  }
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

await t.test('a node replaced under its name gets nothing of the old run', async t => {
  const agent = await lab.startAgent(node)
  await untilOpen(lab, 'n1')
  await untilSaid(lab, 'n1', 'Verified')
  await lab.dns.stop()
  const history = await watchNodes(lab)
  const { uid } = (await readGateNode()).metadata
  await ask(lab.api, { method: 'DELETE', path: nodePath('n1') })
  await createNode(lab.api, node.plan)
  await untilSaid(lab, 'n1', 'NoAnswer')
  const fresh = history.seen.filter(each => each.metadata.uid !== uid)
  t.ok(fresh.length > 0, 'the new node was seen')
  for (const each of fresh) {
    t.ok(hasTestTaint(each), 'tainted')
    t.notOk(each.metadata.labels?.[verifiedLabel], 'without the label')
    t.not(networkCondition(each)?.status, 'True')
  }
  await lab.dns.start()
  await untilOpen(lab, 'n1')
  history.close()
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

await t.test('a dry run by hand only reads', async t => {
  await shutNode(lab, 'n1')
  const files = ['find', '/etc/cni', '/opt/cni', '/var/lib/cni', '/run/nopal', '-printf', '%p %T@\\n']
  const onHost = await node.run(files)
  const before = (await agentRequests(lab)).length
  const { resourceVersion } = (await readGateNode()).metadata
  const { code, stdout } = await node.exec([node.nopalScript, 'verify', '--dry-run'])
  t.equal(code, 0)
  t.match(stdout, /sandbox.*skip.*DryRun/)
  t.equal(await node.run(files), onHost, 'the host is as it was')
  const verbs = (await agentRequests(lab)).slice(before).map(({ verb }) => verb)
  t.same([...new Set(verbs)].sort(), ['get', 'list'])
  t.equal((await readGateNode()).metadata.resourceVersion, resourceVersion, 'the Node is as it was')
})

/** How many verifications have failed, and each time said so. */
async function failures(): Promise<number> {
  return (await readMetric(node, 'kube_node_ready_verifications_total', 'status="failed"')) || 0
}

function firstVerdictMs(agent: Program): number {
  const [line = ''] = /.*"network (verified|failed).*/.exec(agent.log()) ?? []
  return Date.parse((JSON.parse(line) as { time: string }).time)
}

/** What the agent asks of the API while ten verifications pass, one after the other. */
async function askedByTen(): Promise<readonly string[]> {
  const question = async () => {
    const [asked, failed] = [(await agentRequests(lab)).length, await failures()]
    await untilVerified(node, 10)
    if ((await failures()) === failed) return (await agentRequests(lab)).slice(asked)
    // That the next one passes is said once more.
    await untilVerified(node, 10)
    return undefined
  }
  const more = await until('ten verifications that pass', question, { limitMs: 200_000 })
  return more.map(({ verb, path }) => `${verb} ${path}`)
}

async function isAsked(end: string): Promise<boolean> {
  return (await agentRequests(lab)).some(({ path }) => path.endsWith(end))
}

/** The last that it has to say: its standing sandbox is there, and it is verified. */
async function isPublished(): Promise<boolean> {
  const { body } = await lab.api.send({ method: 'GET', path: '/apis/nopal.io/v1alpha1/nodenetworks/n1' })
  const { spec, status } = body as { spec?: { podAddresses?: string[] }; status?: { verdict: string } }
  return spec?.podAddresses !== undefined && status?.verdict === 'Ready'
}

async function readGateNode(): Promise<GateNode> {
  return (await readNode(lab.api, 'n1')) as GateNode
}

function foreign({ spec }: GateNode) {
  return (spec.taints ?? []).filter(({ key }) => key !== testTaint.key)
}

/** Somebody changes the list at every moment: an append may come too late. */
async function addTaintAmongOthers(): Promise<void> {
  await until('our taint to be there', () =>
    addTaint(lab, 'n1', testTaint).then(
      () => true,
      () => undefined,
    ),
  )
}

async function removeForeign(): Promise<void> {
  const body = { spec: { taints: null } }
  await ask(lab.api, { method: 'PATCH', path: nodePath('n1'), body, contentType: 'application/merge-patch+json' })
}
