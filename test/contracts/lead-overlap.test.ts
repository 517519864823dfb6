import { join } from 'node:path'
import t from 'tap'
import { createAll, readManifests } from '../cluster/manifests.ts'
import { startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import { addMachine, startServer } from '../unit/agent/netmaker/bed.ts'
import { rulesOf, writesSeen } from '../unit/agent/netmaker/fleet.ts'
import { accessTo } from './egress/bed.ts'
import type { RunningLeader } from './leader/process.ts'
import { lists, poolDefinition, servers, startCloud, untilNumbers, writes } from './pool/bed.ts'
import {
  addClaim,
  addNode,
  deletions,
  endWorker,
  found,
  installNodeClaims,
  isTainted,
  readNode,
  say,
  startBed,
  untilNote,
  untilWorker,
  workersPath,
} from './remedy/bed.ts'
import { deleting, startLeader } from './remedy/leader.ts'

/** Two leaders with all their duties on a real API server. One is paused until its Lease is another's, and wakes up. */

const root = join(import.meta.dirname, '../..')
const bed = await startBed(t, 'lead-overlap')
const { server } = bed
await installNodeClaims(bed)
await createAll(server.admin, await readManifests(poolDefinition))
for (const folder of ['pool', 'egress'])
  await createAll(server.admin, await readManifests(join(root, 'daemonset', folder, 'rights.yaml')))

const elected = {
  ...deleting,
  LEADER_ELECTION_ENABLED: 'true',
  LEADER_ELECTION_NAMESPACE: 'nopal',
  // Workers are asked for here; nobody waits for a deadline.
  NOPAL_REMEDY_DEADLINE: '10m',
  NOPAL_POOL_INTERVAL: '1s',
}

const leads = async (leader: RunningLeader) => (await leader.metrics()).includes('\nnopal_leader 1\n')

/** A Node with pods of its own, which its agent calls well. */
async function addMeshNode(name: string, podCIDR: string): Promise<void> {
  const spec = { podCIDR, podCIDRs: [podCIDR] }
  await server.send({
    method: 'POST',
    path: '/api/v1/nodes',
    body: { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec },
  })
}

t.test('what was due when the first was paused is done once, and by the second', async t => {
  const [cloud, mesh, proxy] = [await startCloud(t), await startServer(t), await startFaultProxy(server)]
  t.teardown(() => proxy.stop())
  const seeds = { CANADA_KAKTUS_HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.url, ...accessTo(mesh) }
  const env = { ...elected, ...seeds }
  for (const name of ['one', 'two']) addMachine(mesh, name)
  await addMeshNode('one', '10.42.1.0/24')
  for (const name of ['bad', 'good']) {
    await addNode(bed, name)
    await say(bed, name, 'Unknown', 'WorkerWanted')
  }
  await addClaim(bed, 'claim-bad', { status: { nodeName: 'bad' }, heldBy: 'test.example/held' })
  cloud.servers = servers(1, 2)
  const first = await startLeader(t, { ...bed, kubeconfig: await proxy.kubeconfigFor('nopal', 'nopal-leader') }, env)
  await untilNumbers(bed, [1, 2])
  await until('the first rule', () => rulesOf(mesh).length === 1)
  await endWorker(bed, await untilWorker(bed, 'bad', 1), found.failing)
  const [bad, good] = [await untilWorker(bed, 'bad', 2), await untilWorker(bed, 'good', 1)]
  const second = await startLeader(t, bed, env)
  await until('the second to stand by', async () => /"leader":"standby"/.test(JSON.stringify(await second.status())))

  first.process.kill('SIGSTOP')
  await endWorker(bed, bad, found.failing)
  await endWorker(bed, good, found.well)
  await addMeshNode('two', '10.42.2.0/24')
  cloud.servers = servers(1, 2, 3)
  await until('the second to lead', () => leads(second), { limitMs: 60_000 })
  await untilNote(bed, 'bad', 'NodeClaimDeleted')
  await until('the good node to be opened', async () => !(await isTainted(bed, 'good')))
  await untilNumbers(bed, [1, 2, 3])
  await until('the second rule', () => rulesOf(mesh).length === 2)

  const kinds = ['POST', 'PATCH', 'DELETE'] as const
  await proxy.set(
    ...kinds.map(
      method => ({ does: 'slow', ms: 0, method, path: '/(nodes|pods|nodeclaims|events|ciliumlo)' }) as const,
    ),
  )
  first.process.kill('SIGCONT')
  await until('the first to hear that it leads no more', () => first.text().includes('leads no more'))
  await lists(cloud, 3)
  t.same(await proxy.hits(), [0, 0, 0], 'it wrote nothing more')
  t.same(await deletions(bed), ['nodeclaims/claim-bad'])
  t.equal(await writes(bed), 2, 'the pool was made and changed')
  t.equal(writesSeen(mesh), 2)
  await proxy.clear()

  second.process.kill('SIGTERM')
  await until('the first to lead again', () => leads(first))
  await until('it to look at the failed node', () => first.text().includes('its NodeClaim is being deleted already'))
  await lists(cloud, 2)
  t.same(await deletions(bed), ['nodeclaims/claim-bad'], 'nor does it in a term of its own')
  t.ok(await readNode(bed, 'bad'))
  t.equal(await writes(bed), 2)
  t.same(rulesOf(mesh), ['lab one 0 10.42.1.0/24', 'lab two 0 10.42.2.0/24'])
  const made = (await server.requests()).filter(({ verb, path }) => verb === 'create' && path === workersPath)
  t.equal(made.length, 3, 'two workers for the one node, one for the other')
})
