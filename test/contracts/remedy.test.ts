import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compareRights, grantsOf } from '../e2e/rights.ts'
import { until } from '../machine/wait.ts'
import {
  addNode,
  clear,
  deletions,
  endWorker,
  failWorkers,
  found,
  isTainted,
  list,
  notesOf,
  type PodObject,
  readNode,
  say,
  startBed,
  untilNote,
  untilWorker,
  workersOf,
  workersPath,
} from './remedy/bed.ts'
import { startLeader } from './remedy/leader.ts'

/** Worker pods by `nopal lead` on a real API server, by the leader's own rights; the test is the kubelet. */
const bed = await startBed(t, 'remedy')
t.beforeEach(() => clear(bed))

t.test('a tainted, silent Node gets a worker after the deadline; exit code 0 opens the node', async t => {
  const long = `${'long.'.repeat(48)}name`
  const leader = await startLeader(t, bed, { NOPAL_REMEDY_DEADLINE: '3s' })
  const node = await addNode(bed, 'one')
  await addNode(bed, long)
  const pod = await untilWorker(bed, 'one', 1)
  const waitedMs = Date.parse(pod.metadata.creationTimestamp) - Date.parse(node.metadata.creationTimestamp)
  t.ok(waitedMs >= 3_000, 'not before the deadline')
  const { uid } = node.metadata
  t.same(pod.metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Node', name: 'one', uid }])
  t.match(pod, { spec: { nodeName: 'one', containers: [{ image: 'localhost/nopal' }] } })
  await endWorker(bed, pod, found.well)
  await until('the taint to go', async () => !(await isTainted(bed, 'one')))
  t.match(await readNode(bed, 'one'), { metadata: { labels: { 'node-ready/verified': 'true' } } })
  t.match(await untilNote(bed, 'one', 'TaintLifted'), pod.metadata.name)
  await until('the worker to be removed', async () => (await workersOf(bed, 'one')).length === 0)
  t.ok(await isTainted(bed, long), 'the other waits for its own')
  await endWorker(bed, await untilWorker(bed, long, 1), found.well)
  await until('the other, with a long name, to be opened', async () => !(await isTainted(bed, long)))
  const wanted = { on: true, nodes: { verified: 2, unverified: 0, verifying: 0, failed: 0 }, failed: [], workers: 0 }
  await until('it to be counted', async () => {
    const { remedy } = (await leader.status()) as { readonly remedy: object }
    return JSON.stringify(remedy) === JSON.stringify({ ...wanted, held: null })
  })
  t.notMatch(leader.text(), /"level":"(warn|error)"/, 'no write was refused')
})

t.test('an agent that sees only the host asks for a worker at once; one that speaks gets none', async t => {
  for (const name of ['asks', 'well', 'fails']) await addNode(bed, name)
  await say(bed, 'asks', 'Unknown', 'WorkerWanted')
  await say(bed, 'well', 'True', 'Verified')
  await say(bed, 'fails', 'False', 'CheckFailed')
  await startLeader(t, bed, { NOPAL_REMEDY_DEADLINE: '10m' })
  await endWorker(bed, await untilWorker(bed, 'asks', 1), found.well)
  await until('the taint to go', async () => !(await isTainted(bed, 'asks')))
  t.same(await workersOf(bed, 'well'), [])
  t.same(await workersOf(bed, 'fails'), [])
})

t.test('exit code 1 counts and is tried again after a pause; no other ending counts', async t => {
  await addNode(bed, 'one')
  const leader = await startLeader(t, bed, { NOPAL_REMEDY_MAX_RETRIES: '9' })
  const endings = [
    { exitCode: 2 },
    { exitCode: 137, reason: 'OOMKilled' },
    { exitCode: 1, reason: 'ContainerCannotRun' },
    { exitCode: 1, podReason: 'DeadlineExceeded' },
  ]
  const failures = async (attempt: number) =>
    (await untilWorker(bed, 'one', attempt)).metadata.labels?.['nopal.io/failures']
  for (const [at, ending] of endings.slice(0, 2).entries()) {
    await endWorker(bed, await untilWorker(bed, 'one', at + 1), ending)
    t.equal(await failures(at + 2), '0', JSON.stringify(ending))
  }
  const endedMs = Date.now()
  await endWorker(bed, await untilWorker(bed, 'one', 3), found.failing)
  t.equal(await failures(4), '1')
  t.ok(Date.now() - endedMs > 3_000, 'the third pause is of four seconds')
  t.match(await notesOf(bed, 'one', 'WorkerFailed'), [/exit code 1, Error, dns: Timeout/])
  await endWorker(bed, await untilWorker(bed, 'one', 4), endings[2] ?? found.well)
  t.equal(await failures(5), '1', 'a container that never ran says nothing')
  await leader.stop()
  const second = await startLeader(t, bed, { NOPAL_REMEDY_MAX_RETRIES: '9' })
  await endWorker(bed, await untilWorker(bed, 'one', 5), endings[3] ?? found.well)
  t.equal(await failures(6), '1', 'kubelet has ended it; the new leader goes on counting')
  t.equal((await notesOf(bed, 'one', 'WorkerFailed')).length, 1)
  await until('it to be counted', async () =>
    /"verifying":1,.*"workers":1,/.test(
      JSON.stringify(((await second.status()) as { readonly remedy: object }).remedy),
    ),
  )
  t.ok(await isTainted(bed, 'one'))
})

t.test('deletion is off unless told: a node that has failed for good stays, and is tried on', async t => {
  await addNode(bed, 'one')
  await startLeader(t, bed)
  await failWorkers(bed, 'one', 1, 2, 3)
  await untilWorker(bed, 'one', 4)
  t.same(await deletions(bed), [])
  t.match(await readNode(bed, 'one'), { metadata: { name: 'one' } })
})

t.test('workers have the image of the pod that the leader runs in; without one the setting is asked for', async t => {
  const pods = '/api/v1/namespaces/nopal/pods'
  const spec = {
    ...{ serviceAccountName: 'nopal-leader', automountServiceAccountToken: false },
    containers: [{ name: 'leader', image: 'registry.test/nopal:7' }],
  }
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'leader-7' }, spec }
  t.equal((await bed.server.send({ method: 'POST', path: pods, body })).code, 201)
  await addNode(bed, 'one')
  const env = { NOPAL_REMEDY_IMAGE: '', POD_NAMESPACE: 'nopal' }
  const nameless = await startLeader(t, bed, env)
  await until('it to ask', () => /setting \[remedy\] image: must be set/.test(nameless.text()))
  t.same(await workersOf(bed, 'one'), [])
  await nameless.stop()
  await startLeader(t, bed, { ...env, POD_NAME: 'leader-7' })
  t.match(await untilWorker(bed, 'one', 1), { spec: { containers: [{ image: 'registry.test/nopal:7' }] } })
})

t.test("workers of a Node that is gone are removed, also one that runs; nobody else's pod is", async t => {
  const body = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'foreign' } },
    spec: {
      ...{ nodeName: 'one', serviceAccountName: 'nopal-worker', terminationGracePeriodSeconds: 0 },
      securityContext: { runAsNonRoot: true, runAsUser: 1, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          ...{ name: 'verify', image: 'i' },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  await addNode(bed, 'one')
  t.equal((await bed.server.send({ method: 'POST', path: workersPath, body })).code, 201)
  await startLeader(t, bed)
  const pod = await untilWorker(bed, 'one', 1)
  await bed.server.send({ method: 'DELETE', path: '/api/v1/nodes/one' })
  await until('its removal to be asked for', async () => {
    const now = (await list<PodObject>(bed, workersPath)).find(({ metadata }) => metadata.uid === pod.metadata.uid)
    return now === undefined || now.metadata.deletionTimestamp !== undefined
  })
  await sleep(1_000)
  const foreign = (await list<PodObject>(bed, workersPath)).find(({ metadata }) => metadata.name === 'foreign')
  t.equal(foreign?.metadata.deletionTimestamp, undefined)
  t.ok(foreign, 'a pod that is no worker stays')
})

t.test('of the rights of remedy none is missing, and each is used but for those of a deletion', async t => {
  const { grants, faults } = compareRights(grantsOf(bed.manifests), await bed.server.requests())
  t.same(faults, [])
  const leaders = grants.filter(({ account, resource }) => account === 'nopal/nopal-leader' && resource !== 'leases')
  // A repeat within ten minutes patches its Event: test/unit/agent/kube/events.test.ts.
  t.same(
    leaders.filter(({ uses }) => uses === 0).map(({ verb, resource }) => `${verb} ${resource}`),
    ['patch events', 'get nodes', 'delete nodes', 'list nodeclaims', 'delete nodeclaims'],
  )
})
