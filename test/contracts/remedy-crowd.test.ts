import t from 'tap'
import { forEachBounded } from '../../cni/host/bounded.ts'
import type { OpenWatch, WatchLine } from '../cluster/api-server.ts'
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
  const kubelets = startKubelets(bed)
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

/**
 * Ends every worker pod well, but none before as many as may be have come. The server ends a watch that is read too slowly; the
 * next one begins with all that is there.
 */
function startKubelets(bed: LeaderBed) {
  const seen = new Set<string>()
  const running = new Set<string>()
  const waiting: PodObject[] = []
  let mostAtOnce = 0
  let watch: OpenWatch | undefined
  let isOver = false
  const take = ({ type, object }: WatchLine) => {
    const pod = object as unknown as PodObject
    const { uid } = pod.metadata
    if (type === 'DELETED' || pod.status.phase === 'Succeeded') running.delete(uid)
    else running.add(uid)
    if (!seen.has(uid)) waiting.push(pod)
    seen.add(uid)
    mostAtOnce = Math.max(mostAtOnce, running.size)
    if (mostAtOnce >= most) for (const each of waiting.splice(0)) void end(bed, each)
  }
  const follow = async () => {
    while (!isOver) {
      running.clear()
      watch = await until('a watch of the workers', () => bed.server.watch(`${workersPath}?watch=true`), persistent)
      const next = watch.next
      for (let line = await next().catch(none); line !== undefined; line = await next().catch(none)) take(line)
    }
  }
  void follow().catch(none)
  const stop = () => {
    isOver = true
    watch?.close()
  }
  return { mostAtOnce: () => mostAtOnce, stop }
}

const none = () => undefined
const persistent = { everyMs: 1_000, despiteErrors: true }

async function end(bed: LeaderBed, pod: PodObject): Promise<void> {
  const ended = () => endWorker(bed, pod, found.well).then(() => true)
  await until(`${pod.metadata.name} to be ended`, ended, persistent).catch(none)
}
