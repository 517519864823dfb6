import { once } from 'node:events'
import t from 'tap'
import { startApiServer } from '../cluster/api-server.ts'
import { until } from '../machine/wait.ts'
import { type RunningLeader, startLeader } from './leader/process.ts'

/** `nopal lead` as a process, against the real API server with no more rights than its manifest gives. */
const server = await startApiServer({ kind: 'real', run: 'lead' })
t.teardown(() => server.stop())

const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/nopal-leader'

const leads = async (leader: RunningLeader) => (await leader.metrics()).includes('\nnopal_leader 1\n')

const elected = { LEADER_ELECTION_ENABLED: 'true' }

t.test('two stand, one leads; who ends hands over at once, and says so', async t => {
  const one = await startLeader(t, { KUBECONFIG: server.adminKubeconfig, ...elected })
  await until('the first to lead', () => leads(one))
  const two = await startLeader(t, { KUBECONFIG: server.adminKubeconfig, ...elected })
  await until('the second to be ready', async () => (await two.get('/readyz')).code === 200)
  t.notOk(await leads(two))
  t.match(await two.status(), {
    node: 'leader',
    leader: 'standby',
    holder: ((await one.status()) as { readonly holder: string }).holder,
    missing: [],
  })
  t.match((await two.get('/')).text, / leads<\/p>/, 'and the page names who leads')
  const exit = once(one.process, 'exit')
  one.process.kill('SIGTERM')
  t.same(await exit, [0, null])
  await until('the second to lead', () => leads(two), { limitMs: 10_000 })
  t.match((await server.send({ method: 'GET', path: lease })).body, { spec: { leaseTransitions: 2 } })
})

t.test('outside a cluster it leads without a Lease', async t => {
  const name = 'nobody-asks-for-this'
  const one = await startLeader(t, { KUBECONFIG: server.adminKubeconfig, LEADER_ELECTION_ID: name })
  await until('it to lead', () => leads(one))
  const asked = (await server.requests()).filter(line => `${line.path}?${line.query}`.includes(name))
  t.same(asked, [])
})
