import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../machine/wait.ts'
import {
  type ApiObject,
  addClaim,
  addNode,
  claimsPath,
  clear,
  deletions,
  failWorkers,
  installNodeClaims,
  list,
  notesOf,
  type RemedyBed,
  readNode,
  startBed,
  untilNote,
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

const untilGone = (name: string) => until(`${name} to be gone`, async () => (await readNode(bed, name)) === undefined)

const two = { ...deleting, NOPAL_REMEDY_MAX_FAILED: '2' }

/** So long that a leader would have deleted by then. */
const aWhile = () => sleep(4_000)

t.test('no NodeClaims are known here: the Node is deleted after the last retry, not before', async t => {
  await addNode(bed, 'one')
  await addNode(bed, 'other')
  const leader = await startLeader(t, bed, deleting)
  await failWorkers(bed, 'one', 1)
  await aWhile()
  t.ok(await readNode(bed, 'one'), 'a retry is left')
  await failWorkers(bed, 'one', 2)
  await untilGone('one')
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

t.test('with NodeClaims', async t => {
  await installNodeClaims(bed)
  await t.test(
    'its NodeClaim is deleted, by the name or by the machine, and the Node is left to Karpenter',
    async t => {
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
    },
  )
  await t.test('none of them can be its own: the Node is deleted', async t => {
    await addNode(bed, 'one', 'cloud://1')
    await addClaim(bed, 'claim-three', { status: { nodeName: 'three', providerID: 'cloud://3' } })
    await startLeader(t, bed, deleting)
    await failWorkers(bed, 'one', 1, 2)
    await untilGone('one')
    t.same(await deleted(), ['nodes/one'])
    t.equal((await list<ApiObject>(bed, claimsPath)).length, 1)
  })
  await t.test('two may be its own: neither they nor the Node', async t => {
    await addNode(bed, 'one', 'cloud://1')
    await addClaim(bed, 'by-name', { status: { nodeName: 'one' } })
    await addClaim(bed, 'by-machine', { status: { nodeName: 'x', providerID: 'cloud://1' } })
    await startLeader(t, bed, deleting)
    await failWorkers(bed, 'one', 1, 2)
    t.match(await untilNote(bed, 'one', 'DeletionHeld'), /SeveralNodeClaims/)
    await aWhile()
    t.same(await deleted(), [])
  })
  await t.test('the list is refused: nothing is deleted, an Event and the log say so', async t => {
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
})

async function dropFinalizers({ server }: RemedyBed, claim: string): Promise<void> {
  const body = { metadata: { finalizers: null } }
  const contentType = 'application/merge-patch+json'
  await server.send({ method: 'PATCH', path: `${claimsPath}/${claim}`, body, contentType })
}

/** Takes the right to list NodeClaims away. */
async function refuseClaims({ server }: RemedyBed): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/nopal-leader-remedy-delete'
  const body = { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'delete'] }] }
  const contentType = 'application/merge-patch+json'
  const { code } = await server.send({ method: 'PATCH', path, body, contentType })
  if (code !== 200) throw new Error(`ClusterRole: ${code}`)
}
