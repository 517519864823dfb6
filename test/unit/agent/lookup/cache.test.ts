import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { type ObjectCache, startObjectCache } from '../../../../agent/lookup/cache.ts'
import type { WorkerCounts } from '../../../../agent/lookup/workers.ts'
import { systemClock } from '../../../../agent/runtime/clock.ts'
import { clientFor, serve } from '../kube/test-server.ts'
import { createRecordingLogger, type RecordingLogger } from '../runtime/recording-logger.ts'

const pods = '/api/v1/pods'
const networks = '/apis/kaloom.com/v1/networks'
const definitions = '/apis/k8s.cni.cncf.io/v1/network-attachment-definitions'

/** An API server whose watches say what the test says. */
interface Api {
  readonly cache: ObjectCache
  readonly log: RecordingLogger
  /** What was told last of worker pods. */
  workers(): WorkerCounts | undefined
  /** Every request, as method and target. */
  readonly requests: readonly string[]
  say(path: string, ...lines: readonly object[]): Promise<void>
  cut(path: string): Promise<void>
  until(what: () => boolean): Promise<void>
}

async function start(t: Test, absent: readonly string[] = []): Promise<Api> {
  const streams = new Map<string, ServerResponse>()
  const requests: string[] = []
  const url = await serve(t, (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    requests.push(`${request.method} ${request.url}`)
    if (absent.includes(pathname)) {
      response.writeHead(404).end('404 page not found')
      return
    }
    // Open for the other side only when something is said.
    streams.set(pathname, response)
  })
  const log = createRecordingLogger()
  // Waits are a thousand times shorter than they are in earnest.
  const clock = { ...systemClock, after: (ms: number, run: () => void) => systemClock.after(ms / 1000, run) }
  // Nobody is silent in this test.
  const patient = { ...clock, after: (ms: number, run: () => void) => clock.after(ms >= 100_000 ? ms * 1000 : ms, run) }
  let workers: WorkerCounts | undefined
  const cache = startObjectCache({
    ...{ api: clientFor(t, url), nodeName: 'n1', log, clock: patient, random: Math.random },
    onWorkers(counts) {
      workers = counts
    },
  })
  t.teardown(() => cache.stop())
  const until = async (what: () => boolean) => {
    while (!what()) await new Promise(resolve => setTimeout(resolve, 2))
  }
  return {
    ...{ cache, log, requests, until },
    workers: () => workers,
    async say(path, ...lines) {
      await until(() => streams.has(path))
      for (const line of lines) streams.get(path)?.write(`${JSON.stringify(line)}\n`)
    },
    async cut(path) {
      await until(() => streams.has(path))
      streams.get(path)?.destroy()
      streams.delete(path)
    },
  }
}

const revisions = { last: 100 }
const next = () => String(++revisions.last)
const bookmark = () => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: next() } } })
const pod = (type: string, name: string, uid = 'u1') => ({
  type,
  object: { metadata: { name, namespace: 'default', uid, resourceVersion: next(), annotations: { networks: '[]' } } },
})
const network = (type: string, name: string, spec: unknown = { plugin: 'bridge' }) => ({
  type,
  object: { metadata: { name, namespace: 'default', resourceVersion: next() }, spec },
})

t.test('three watches, and no other request', async t => {
  const api = await start(t)
  await api.until(() => api.requests.length === 3)
  const asked = api.requests.map(each => each.replace(/timeoutSeconds=\d+/, '')).sort()
  const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true&'
  t.same(asked, [
    `GET ${pods}?fieldSelector=spec.nodeName%3Dn1&${initial}`,
    `GET ${definitions}?${initial}`,
    `GET ${networks}?${initial}`,
  ])
})

t.test('pods come, are made anew and go', async t => {
  const api = await start(t)
  const has = (uid: string | undefined) => () => api.cache.pod('default', 'p')?.uid === uid
  await api.say(pods, pod('ADDED', 'p'), bookmark())
  await api.until(has('u1'))
  await api.say(pods, pod('DELETED', 'p'), pod('ADDED', 'p', 'u2'))
  await api.until(has('u2'))
  await api.cut(pods)
  t.same(api.cache.pod('default', 'p'), { uid: 'u2', annotations: { networks: '[]' } }, 'kept while the watch is cut')
  await api.say(pods, pod('DELETED', 'p', 'u2'))
  await api.until(has(undefined))
})

t.test('changes among the pods are told, until nobody listens', async t => {
  const api = await start(t)
  let told = 0
  const forget = api.cache.onPods(() => {
    told++
  })
  await api.say(pods, bookmark(), pod('ADDED', 'p'))
  await api.until(() => told === 2)
  forget()
  await api.say(pods, pod('ADDED', 'q'))
  await api.until(() => api.cache.pod('default', 'q') !== undefined)
  t.equal(told, 2)
})

t.test('pods that verify a node are counted', async t => {
  const api = await start(t)
  const worker = (type: string, phase: string) => {
    const { object } = pod(type, 'w')
    const labels = { app: 'kube-node-ready', component: 'worker' }
    return { type, object: { ...object, metadata: { ...object.metadata, labels }, status: { phase } } }
  }
  t.equal(api.workers(), undefined, 'not known yet')
  await api.say(pods, pod('ADDED', 'p'), worker('ADDED', 'Running'), bookmark())
  await api.until(() => api.workers()?.running === 1)
  await api.say(pods, worker('MODIFIED', 'Succeeded'))
  await api.until(() => api.workers()?.succeeded === 1)
  t.same(api.workers(), { pending: 0, running: 0, succeeded: 1, failed: 0, unknown: 0 })
  await api.say(pods, worker('DELETED', 'Succeeded'))
  await api.until(() => api.workers()?.succeeded === 0)
})

t.test('that there is no such network is certain only while the watch is open and has told all', async t => {
  const api = await start(t)
  const sight = (name: string) => api.cache.network('Network', 'default', name).state
  t.equal(sight('green'), 'unknown', 'before anything was told')
  await api.say(networks, network('ADDED', 'green'))
  t.equal(sight('blue'), 'unknown')
  await api.say(networks, bookmark())
  await api.until(() => sight('green') === 'known')
  t.equal(sight('blue'), 'absent')
  await api.cut(networks)
  await api.until(() => sight('blue') === 'unknown')
  t.equal(sight('green'), 'known', 'what was there is told still')
  await api.say(networks, network('DELETED', 'green'))
  await api.until(() => sight('green') === 'absent')
})

t.test('kinds are apart', async t => {
  const api = await start(t)
  await api.say(networks, network('ADDED', 'green'), bookmark())
  await api.say(definitions, bookmark())
  await api.until(() => api.cache.network('NetworkAttachmentDefinition', 'default', 'green').state === 'absent')
  await api.until(() => api.cache.network('Network', 'default', 'green').state === 'known')
})

t.test('without the definition of a kind it is looked for now and then, and kactus asks the API', async t => {
  const api = await start(t, [definitions])
  await api.until(() => api.requests.filter(each => each.includes(definitions)).length > 1)
  t.equal(api.cache.network('NetworkAttachmentDefinition', 'default', 'green').state, 'unknown')
  t.same(
    api.log.lines.map(([level]) => level),
    ['info'],
    'said once, and no fault',
  )
})

t.test('a network that is too large is there and not kept; one line says so', async t => {
  const api = await start(t)
  const config = 'x'.repeat(70_000)
  await api.say(networks, network('ADDED', 'huge', { config }), network('ADDED', 'green'), bookmark())
  await api.until(() => api.cache.network('Network', 'default', 'green').state === 'known')
  t.equal(api.cache.network('Network', 'default', 'huge').state, 'unknown')
  await api.say(networks, network('ADDED', 'blue'))
  await api.until(() => api.cache.network('Network', 'default', 'blue').state === 'known')
  t.match(api.log.lines, [['warn', /kactus asks the API/, { left: 1 }]])
  t.equal(api.log.lines.length, 1)
})
