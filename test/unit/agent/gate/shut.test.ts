import t from 'tap'
import { KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { FakeCluster } from './fake-cluster.ts'
import { failing, ownTaint, verdictOf } from './samples.ts'

const bad = verdictOf(failing('dns', 'NXDomain'))
const foreign = { key: 'example.com/disks', value: 'x', effect: 'NoSchedule' }

type FakeAgent = ReturnType<FakeCluster['agent']>

/** Three failing runs, each with its turn of the gate; the last turn is left to the test. */
async function failThreeTimes(agent: FakeAgent): Promise<void> {
  agent.find(bad)
  await agent.run()
  agent.find(bad)
  await agent.run()
  agent.find(bad)
}

function callsOf(requests: readonly KubeRequest[]): readonly string[] {
  return requests.map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`)
}

t.test('the third failing run taints the node and takes the label, in one patch, and says so', async t => {
  const cluster = new FakeCluster(3)
  cluster.nodes[0] = { ...nodeOf(cluster, 0), spec: { taints: [foreign] } }
  const agent = cluster.agent(0)
  await failThreeTimes(agent)
  t.same(cluster.tainted, [], 'not before')
  const before = cluster.requests.length
  t.equal(await agent.run(), undefined)
  t.same(nodeOf(cluster, 0).spec.taints, [foreign, ownTaint])
  t.same(nodeOf(cluster, 0).metadata.labels, {})
  t.same(callsOf(cluster.requests.slice(before)), [
    'GET leases/gate',
    'POST nopal/leases',
    'GET v1/nodes',
    'PATCH nodes/n0',
    'POST default/events',
    'PUT leases/gate',
  ])
  t.match(cluster.requests.at(-2)?.body, { reason: 'TaintAdded', type: 'Warning', note: 'NXDomain: dns: NXDomain (x)' })
  t.same(agent.writes, [{ taint: 'add', ok: true, seconds: 0 }])
  t.equal(agent.look(), undefined, 'what we wrote ourselves calls nothing into doubt')
  await agent.run()
  t.equal(cluster.requests.length, before + 6, 'and then nothing')
})

t.test('all fail at the same moment: never more than may be', async t => {
  const rows = [
    { name: 'a share', nodes: 10, maxUnavailable: { share: 0.2 }, want: 2 },
    { name: 'one always may', nodes: 3, maxUnavailable: { share: 0.2 }, want: 1 },
    { name: 'a count', nodes: 5, maxUnavailable: { nodes: 4 }, want: 4 },
  ]
  for (const { name, nodes, maxUnavailable, want } of rows) {
    const cluster = new FakeCluster(nodes)
    const agents = Array.from({ length: nodes }, (_, at) => cluster.agent(at, { maxUnavailable }))
    await Promise.all(agents.map(failThreeTimes))
    for (let turn = 0; turn < 200; turn++) {
      await Promise.all(agents.map(agent => agent.run()))
      await cluster.clock.advance(1_000)
      for (const agent of agents) agent.find(bad)
    }
    t.equal(cluster.tainted.length, want, name)
    t.equal(cluster.mostTainted, want, `${name}, at every moment`)
  }
})

t.test('a node with our taint counts, whoever put it there', async t => {
  const cluster = new FakeCluster(3)
  cluster.nodes[2] = { ...nodeOf(cluster, 2), spec: { taints: [{ ...ownTaint, value: 'kubelet' }] } }
  const agent = cluster.agent(0)
  await failThreeTimes(agent)
  await agent.run()
  t.same(cluster.tainted, ['n2'])
  const before = cluster.requests.length
  agent.find(bad)
  await agent.run()
  t.equal(cluster.requests.length, before, 'nor is it asked again at once')
})

interface Unknown {
  readonly name: string
  readonly refuse: (request: KubeRequest) => KubeError | undefined
}

const forbidden = new KubeError('Forbidden', 'no', { status: 403 })
const unknowns: readonly Unknown[] = [
  { name: 'the list is forbidden', refuse: ({ path }) => (path === '/api/v1/nodes' ? forbidden : undefined) },
  { name: 'the Lease is forbidden', refuse: ({ path }) => (path.includes('/leases') ? forbidden : undefined) },
  {
    name: 'no answer to the list',
    refuse: ({ path }) => (path === '/api/v1/nodes' ? new KubeError('TimedOut', 'no answer') : undefined),
  },
]

for (const { name, refuse } of unknowns) {
  t.test(`none if the API cannot tell: ${name}`, async t => {
    const cluster = new FakeCluster(3)
    const agent = cluster.agent(0)
    await failThreeTimes(agent)
    cluster.refuse = refuse
    await t.rejects(agent.run(), KubeError)
    t.same(cluster.tainted, [])
    t.match(nodeOf(cluster, 0).status.conditions, [{ status: 'False', reason: 'NXDomain' }], 'but told it was')
  })
}

t.test('the node changes while nodes are counted: planned again', async t => {
  const cluster = new FakeCluster(3)
  const agent = cluster.agent(0)
  await failThreeTimes(agent)
  cluster.refuse = ({ path }) => {
    if (path === '/api/v1/nodes') cluster.nodes[0] = { ...nodeOf(cluster, 0), spec: { taints: [foreign] } }
    return undefined
  }
  await agent.run()
  t.same(nodeOf(cluster, 0).spec.taints, [foreign, ownTaint])
})

t.test('it passes while nodes are counted: left alone', async t => {
  const cluster = new FakeCluster(3)
  const agent = cluster.agent(0)
  await failThreeTimes(agent)
  cluster.refuse = ({ path }) => {
    if (path === '/api/v1/nodes') agent.find(verdictOf())
    return undefined
  }
  await agent.run()
  t.same(cluster.tainted, [])
})

t.test('paused after it has counted: others may have used the room meanwhile, so it writes nothing', async t => {
  const cluster = new FakeCluster(3)
  const agent = cluster.agent(0)
  await failThreeTimes(agent)
  cluster.beforeShut = () => {
    // Time goes on without any timer having run: that is how it is on waking.
    const nowMs = cluster.clock.monotonic()
    Object.assign(cluster.clock, { monotonic: () => nowMs + 60_000 })
  }
  await t.rejects(agent.run(), { code: 'TermEnded' })
  t.same(cluster.tainted, [])
})

t.test('a dry run says what it would and counts nothing', async t => {
  const cluster = new FakeCluster(3)
  const agent = cluster.agent(0, { dryRun: true })
  await failThreeTimes(agent)
  await agent.run()
  t.equal(cluster.requests.length, 0)
  const [, , { wish }] = agent.log.lines.at(-1) ?? ['', '', {}]
  t.match(wish, /taint the node again if max-unavailable allows/)
})

function nodeOf(cluster: FakeCluster, at: number) {
  const node = cluster.nodes[at]
  if (node === undefined) throw new Error(`no node ${at}`)
  return node
}
