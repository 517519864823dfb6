import t from 'tap'
import { forEachBounded } from '../../cni/host/bounded.ts'
import type { WatchLine } from '../cluster/api-server.ts'
import { until } from '../machine/wait.ts'
import type { LeaderBed } from './leader/bed.ts'
import {
  addNode,
  endWorker,
  found,
  hasTaint,
  list,
  type NodeObject,
  type PodObject,
  startBed,
  workersPath,
} from './remedy/bed.ts'
import { startLeader } from './remedy/leader.ts'

/** A thousand new nodes without agents, on a real API server: worker pods within their bound, few calls a node. */
const count = 1_000
const most = 50

t.test('a thousand tainted nodes at once', async t => {
  const bed = await startBed(t, 'remedy-crowd')
  const names = Array.from({ length: count }, (_, at) => `n${at}`)
  await forEachBounded(names, 16, async name => void (await addNode(bed, name)))
  const kubelets = await startKubelets(bed)
  t.teardown(kubelets.stop)
  const startMs = performance.now()
  const env = { NOPAL_REMEDY_DEADLINE: '1s', NOPAL_REMEDY_MAX_WORKERS: String(most) }
  const leader = await startLeader(t, bed, env)
  const tainted = async () => (await list<NodeObject>(bed, '/api/v1/nodes')).filter(hasTaint)
  await until('all to be opened', async () => (await tainted()).length === 0, { limitMs: 300_000, everyMs: 2_000 })
  const pods = () => list<PodObject>(bed, workersPath)
  await until('all workers to be removed', async () => (await pods()).length === 0, { limitMs: 120_000 })
  t.equal(kubelets.mostAtOnce(), most, 'no more workers at once than may be, and no fewer')
  const asked = (await bed.server.requests()).filter(({ user }) => user.includes('nopal-leader'))
  const sorts = Map.groupBy(asked, ({ verb, path }) => `${verb} ${path.replace(/\/(n\d+|verify-[^/]+)$/, '/NAME')}`)
  const times = (what: string) => sorts.get(what)?.length
  t.equal(times(`create ${workersPath}`), count)
  t.equal(times('patch /api/v1/nodes/NAME'), count)
  t.equal(times(`delete ${workersPath}/NAME`), count)
  t.equal(times('create /apis/events.k8s.io/v1/namespaces/default/events'), count)
  t.ok(asked.length < 4 * count + 50, `${asked.length} requests, watches included`)
  t.notMatch(leader.text(), /"level":"(warn|error)"/, 'none was refused')
  t.comment(
    `${count} nodes opened after ${((performance.now() - startMs) / 1000).toFixed(1)} s, ${most} workers at once`,
  )
})

/** Ends every worker pod well, but none before as many as may be have come. */
async function startKubelets(bed: LeaderBed) {
  const watch = await bed.server.watch(`${workersPath}?watch=true`)
  const running = new Set<string>()
  const waiting: PodObject[] = []
  let mostAtOnce = 0
  const take = ({ type, object }: WatchLine) => {
    const pod = object as unknown as PodObject
    if (type === 'ADDED') waiting.push(pod)
    if (type === 'ADDED') running.add(pod.metadata.uid)
    else if (type === 'DELETED' || pod.status.phase === 'Succeeded') running.delete(pod.metadata.uid)
    mostAtOnce = Math.max(mostAtOnce, running.size)
  }
  const work = async () => {
    for (let line = await watch.next(); line !== undefined; line = await watch.next()) {
      take(line)
      if (mostAtOnce >= most) for (const pod of waiting.splice(0)) void endWorker(bed, pod, found.well)
    }
  }
  const ended = work().catch(error => String(error))
  return { mostAtOnce: () => mostAtOnce, ended, stop: () => watch.close() }
}
