import t from 'tap'
import { compareRights, grantsOf, withoutDiscovery } from '../e2e/rights.ts'
import { startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import {
  addNode,
  aWhile,
  clear,
  deletions,
  endWorker,
  failWorkers,
  found,
  type NodeObject,
  notesOf,
  readNode,
  startBed,
  untilGone,
  untilNote,
  untilWorker,
  workersOf,
} from './remedy/bed.ts'
import { deleting, startLeader } from './remedy/leader.ts'

/** Deletion of failed nodes by `nopal lead` on a real API server, by the leader's own rights. */
const bed = await startBed(t, 'remedy-delete')
let before = 0
t.beforeEach(async () => {
  await clear(bed)
  before = (await deletions(bed)).length
})
const deleted = async () => (await deletions(bed)).slice(before)

t.test('no NodeClaims are known here: the Node is deleted after the last retry, not before', async t => {
  await addNode(bed, 'one')
  await addNode(bed, 'other')
  const leader = await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1)
  await aWhile()
  t.ok(await readNode(bed, 'one'), 'a retry is left')
  await failWorkers(bed, 'one', 2)
  await untilGone(bed, 'one')
  t.same(await deleted(), ['nodes/one'])
  t.match(await untilNote(bed, 'one', 'NodeDeleted'), /^2 worker pods have found the network failing, .*dns: Timeout/)
  t.ok(await readNode(bed, 'other'), 'one that nobody found failing stays')
  t.match(await leader.metrics(), /nopal_remedy_deletions_total\{.*kind="Node".*\} 1/)
})

t.test('most nodes fail at once: it is not the nodes, none is deleted, an Event says so', async t => {
  const names = ['one', 'two', 'three']
  for (const name of names) await addNode(bed, name)
  const leader = await startLeader(t, bed, deleting)
  await Promise.all(names.map(name => failWorkers(bed, name, 1)))
  await Promise.all(names.map(name => failWorkers(bed, name, 2)))
  const noted = async () => (await Promise.all(names.map(name => notesOf(bed, name, 'DeletionHeld')))).flat()
  const [note] = await until('the Event', async () => {
    const notes = await noted()
    return notes.length > 0 && notes
  })
  t.match(note, /^[23] of 3 nodes fail at once: it is not the nodes, none is deleted/)
  await aWhile()
  t.same(await deleted(), [])
  t.match(leader.text(), /"why":"TooManyFailed".*failed nodes are not deleted now/)
})

t.test('a Node that is made anew under the same name begins anew', async t => {
  await addNode(bed, 'one')
  await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1)
  await untilWorker(bed, 'one', 2)
  const { uid } = (await replaceNode('one')).metadata
  const own = (attempt: number) =>
    until(`worker ${attempt} of the new one`, async () =>
      (await workersOf(bed, 'one')).find(
        ({ metadata: { labels = {} } }) =>
          labels['nopal.io/node-uid'] === uid && labels['nopal.io/attempt'] === String(attempt),
      ),
    )
  const first = await own(1)
  t.equal(first.metadata.labels?.['nopal.io/failures'], '0', 'what the other was found to be does not count')
  await endWorker(bed, first, found.failing)
  t.equal((await own(2)).metadata.labels?.['nopal.io/failures'], '1')
  await aWhile()
  t.same(await deleted(), [])
})

t.test('made anew between the last look at it and its deletion: the new one stays', async t => {
  const proxy = await startFaultProxy(bed.server)
  t.teardown(() => proxy.stop())
  await addNode(bed, 'one')
  const kubeconfig = await proxy.kubeconfigFor('nopal', 'nopal-leader')
  const leader = await startLeader(t, { ...bed, kubeconfig }, deleting)
  await failWorkers(bed, 'one', 1)
  // Asked after the Node itself, and right before the deletion.
  await proxy.set({ does: 'hold', path: '^/apis$', times: 1 })
  await failWorkers(bed, 'one', 2)
  await until('the leader to ask for NodeClaims', async () => (await proxy.hits())[0] === 1)
  await replaceNode('one')
  await proxy.clear()
  await until('the deletion to be refused', () => /"code":"Conflict"/.test(leader.text()))
  t.same(await deleted(), [])
  t.ok(await readNode(bed, 'one'))
})

/** The machine is gone, and another has its name. */
async function replaceNode(name: string): Promise<NodeObject> {
  await bed.server.send({ method: 'DELETE', path: `/api/v1/nodes/${name}` })
  return addNode(bed, name)
}

t.test('of the rights of a deletion none is missing, and these are used', async t => {
  const asked = withoutDiscovery(await bed.server.requests())
  const { grants, faults } = compareRights(grantsOf(bed.manifests), asked)
  t.same(faults, [])
  const used = grants.filter(({ uses }) => uses > 0).map(({ verb, resource }) => `${verb} ${resource}`)
  for (const right of ['get nodes', 'delete nodes']) t.ok(used.includes(right), right)
})
