import t from 'tap'
import { nodeNetworksPath } from '../../agent/kube/node-network.ts'
import type { ApiServer } from '../cluster/api-server.ts'
import { compareRights, grantsOf } from '../e2e/rights.ts'
import { until } from '../machine/wait.ts'
import { addMachine, startServer } from '../unit/agent/netmaker/bed.ts'
import { eventsOf, lead, rulesAre, setNode, startBed } from './egress/bed.ts'

/** What becomes of the rules: it takes its minute, and has a file of its own for that. */
const bed = await startBed(t, 'lead-egress-effect')
const { server } = bed

/** As the agent of a node says it. */
async function publish(api: ApiServer, name: string, missingAllowedIPs: readonly string[]): Promise<void> {
  const body = { apiVersion: 'nopal.io/v1alpha1', kind: 'NodeNetwork', metadata: { name }, spec: {} }
  await api.send({ method: 'POST', path: nodeNetworksPath, body })
  const status = { verdict: 'Ready', reason: 'Verified', missingAllowedIPs, observedTime: '2026-01-01T00:00:00Z' }
  const contentType = 'application/merge-patch+json'
  const answer = await api.send({
    method: 'PATCH',
    path: `${nodeNetworksPath}/${name}/status`,
    contentType,
    body: { status },
  })
  if (answer.code !== 200) throw new Error(`NodeNetwork ${name}: ${answer.code}`)
}

interface Condition {
  readonly type: string
}

async function conditionOf(api: ApiServer, name: string): Promise<Condition | undefined> {
  const { body } = await api.send({ method: 'GET', path: `/api/v1/nodes/${name}` })
  const { conditions = [] } = (body as { readonly status: { readonly conditions?: readonly Condition[] } }).status
  return conditions.find(({ type }) => type === 'nopal.io/EgressInEffect')
}

t.test('a rule that has not come to a node: a condition and an Event with the likely cause', async t => {
  const fake = await startServer(t)
  for (const name of ['one', 'two']) addMachine(fake, name)
  await setNode(server, 'one', ['10.42.1.0/24'])
  await setNode(server, 'two', ['10.42.2.0/24'])
  await publish(server, 'two', ['10.42.1.0/24'])
  const leader = await lead(t, bed, fake)
  const condition = await until('the condition', () => conditionOf(server, 'one'), { limitMs: 150_000, everyMs: 500 })
  t.match(condition, { status: 'False', reason: 'MessagingDown', message: /10\.42\.1\.0\/24 in lab .* 1 node \(two\)/ })
  t.equal(await conditionOf(server, 'two'), undefined, 'nothing is wrong with the other')
  const [event] = await until('the Event', async () => {
    const events = await eventsOf(server, 'EgressNoEffect')
    return events.length > 0 && events
  })
  t.match(event?.note, /^MessagingDown: /)
  t.match(await leader.metrics(), 'nopal_egress_rules{network="lab",state="noeffect"} 1')
  const effect = { network: 'lab', node: 'one', range: '10.42.1.0/24', missingAt: 1, cause: 'MessagingDown' }
  t.match(await leader.status(), { egressRules: { networks: [{ noEffect: 0 }, { noEffect: 1 }], noEffect: [effect] } })
  await server.send({ method: 'DELETE', path: '/api/v1/nodes/one' })
  await rulesAre(fake, ['lab two 0 10.42.2.0/24'])
})

t.test('of the rights about egress none is missing, and but for one each is used', async t => {
  const { grants, faults } = compareRights(grantsOf(bed.manifests), await server.requests())
  t.same(faults, [])
  const unused = grants.filter(({ uses, resource }) => uses === 0 && resource !== 'leases')
  // An Event that comes again within ten minutes: test/unit/agent/kube/events.test.ts.
  t.same(
    unused.map(({ verb, resource }) => `${verb} ${resource}`),
    ['patch events'],
  )
})
