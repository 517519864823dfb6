import t from 'tap'
import { serveVersions } from '../cluster/crd-versions.ts'
import { compareRights, grantsOf, withoutDiscovery } from '../e2e/rights.ts'
import { startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import type { LeaderBed } from './leader/bed.ts'
import {
  type ApiObject,
  addClaim,
  addNode,
  aWhile,
  claimsPath,
  clear,
  deletions,
  failWorkers,
  installNodeClaims,
  list,
  readNode,
  startBed,
  untilGone,
  untilNote,
} from './remedy/bed.ts'
import { deleting, startLeader } from './remedy/leader.ts'

/** Deletion of failed nodes where NodeClaims stand for machines, on a real API server, by the leader's own rights. */
const bed = await startBed(t, 'remedy-claims')
await installNodeClaims(bed)
let before = 0
t.beforeEach(async () => {
  await clear(bed)
  before = (await deletions(bed)).length
})
const deleted = async () => (await deletions(bed)).slice(before)

const two = { ...deleting, NOPAL_REMEDY_MAX_FAILED: '2' }

t.test('its NodeClaim is deleted, by the name or by the machine, and the Node is left to Karpenter', async t => {
  await addNode(bed, 'one')
  await addNode(bed, 'two', 'cloud://2')
  await addClaim(bed, 'claim-one', { status: { nodeName: 'one' }, heldBy: 'test.example/held' })
  await addClaim(bed, 'claim-two', { status: { nodeName: 'another', providerID: 'cloud://2' } })
  await addClaim(bed, 'claim-three', { status: { nodeName: 'three', providerID: 'cloud://3' } })
  const leader = await startLeader(t, bed, two)
  await failWorkers(bed, 'one', 1, 2)
  await untilNote(bed, 'one', 'NodeClaimDeleted')
  await failWorkers(bed, 'two', 1, 2)
  await untilNote(bed, 'two', 'NodeClaimDeleted')
  await aWhile()
  t.same(await deleted(), ['nodeclaims/claim-one', 'nodeclaims/claim-two'])
  t.ok(await readNode(bed, 'one'), 'its NodeClaim is going, and that is all')
  t.ok(await readNode(bed, 'two'))
  await leader.stop()
  const second = await startLeader(t, bed, two)
  await failWorkers(bed, 'one', 3)
  await until('it to be told', () => second.text().includes('its NodeClaim is being deleted already'))
  t.same(await deleted(), ['nodeclaims/claim-one', 'nodeclaims/claim-two'])
  await dropFinalizers(bed, 'claim-one')
})
t.test('none of them can be its own: the Node is deleted', async t => {
  await addNode(bed, 'one', 'cloud://1')
  await addClaim(bed, 'claim-three', { status: { nodeName: 'three', providerID: 'cloud://3' } })
  await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1, 2)
  await untilGone(bed, 'one')
  t.same(await deleted(), ['nodes/one'])
  t.equal((await list<ApiObject>(bed, claimsPath)).length, 1)
})
t.test('two may be its own: neither they nor the Node', async t => {
  await addNode(bed, 'one', 'cloud://1')
  await addClaim(bed, 'by-name', { status: { nodeName: 'one' } })
  await addClaim(bed, 'by-machine', { status: { nodeName: 'x', providerID: 'cloud://1' } })
  await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1, 2)
  t.match(await untilNote(bed, 'one', 'DeletionHeld'), /SeveralNodeClaims/)
  await aWhile()
  t.same(await deleted(), [])
})
t.test('v1beta1 alone is served: its NodeClaim is deleted', async t => {
  await addNode(bed, 'one')
  await addClaim(bed, 'claim-one', { status: { nodeName: 'one' } })
  const claims = { group: 'karpenter.sh', plural: 'nodeclaims' }
  t.teardown(() => serveVersions(bed.server, claims, ['v1']))
  await serveVersions(bed.server, claims, ['v1beta1'])
  await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1, 2)
  await untilNote(bed, 'one', 'NodeClaimDeleted')
  t.same(await deleted(), ['nodeclaims/claim-one'])
  t.ok(await readNode(bed, 'one'))
})
t.test('the list does not come: nothing is deleted, an Event says so', async t => {
  const proxy = await startFaultProxy(bed.server)
  t.teardown(() => proxy.stop())
  await proxy.set({ does: 'hang', path: '/nodeclaims' })
  await addNode(bed, 'one')
  await startLeader(t, { ...bed, kubeconfig: await proxy.kubeconfigFor('nopal', 'nopal-leader') }, deleting)
  await failWorkers(bed, 'one', 1, 2)
  t.match(await untilNote(bed, 'one', 'DeletionHeld'), /nobody knows whether a NodeClaim .* \(TimedOut\)/)
  t.same(await deleted(), [])
  t.ok(await readNode(bed, 'one'))
})
t.test('the list is refused: nothing is deleted, an Event and the log say so', async t => {
  await refuseClaims(bed)
  await addNode(bed, 'one')
  await addClaim(bed, 'claim-one', { status: { nodeName: 'one' } })
  const leader = await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1, 2)
  t.match(await untilNote(bed, 'one', 'DeletionHeld'), /nobody knows whether a NodeClaim .* \(Forbidden\)/)
  t.match(leader.text(), /nobody knows whether a NodeClaim stands for it: the node is not deleted/)
  await aWhile()
  t.same(await deleted(), [])
  t.ok(await readNode(bed, 'one'))
})

async function dropFinalizers({ server }: LeaderBed, claim: string): Promise<void> {
  const body = { metadata: { finalizers: null } }
  const contentType = 'application/merge-patch+json'
  await server.send({ method: 'PATCH', path: `${claimsPath}/${claim}`, body, contentType })
}

/** Takes the right to list NodeClaims away. */
async function refuseClaims({ server }: LeaderBed): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/nopal-leader-remedy-delete'
  const body = { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'delete'] }] }
  const contentType = 'application/merge-patch+json'
  const { code } = await server.send({ method: 'PATCH', path, body, contentType })
  if (code !== 200) throw new Error(`ClusterRole: ${code}`)
}

t.test('of the rights of a deletion none is missing, and these are used', async t => {
  const asked = withoutDiscovery(await bed.server.requests())
  const { grants, faults } = compareRights(grantsOf(bed.manifests), asked)
  t.same(
    faults,
    ['nopal/nopal-leader: list /apis/karpenter.sh/v1/nodeclaims was refused (403)'],
    'only what was taken away',
  )
  const used = grants.filter(({ uses }) => uses > 0).map(({ verb, resource }) => `${verb} ${resource}`)
  for (const right of ['list nodeclaims', 'delete nodeclaims']) t.ok(used.includes(right), right)
})
