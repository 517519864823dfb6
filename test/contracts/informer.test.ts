import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { createKubeClient } from '../../agent/kube/client.ts'
import { fixedCredentials } from '../../agent/kube/follow-credentials.ts'
import { type Informer, startInformer } from '../../agent/kube/informer.ts'
import { type KubeNode, parseNode } from '../../agent/kube/node.ts'
import { systemClock } from '../../agent/runtime/clock.ts'
import type { ApiTarget } from '../cluster/api-client.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { type Fault, type RunningProxy, startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { applyManifests } from '../lab/product.ts'
import { until } from '../machine/wait.ts'
import { credentialsFor } from '../unit/agent/kube/test-server.ts'
import { createRecordingLogger } from '../unit/agent/runtime/recording-logger.ts'
import { node, nodes, patchMerge, post, remove } from './api/requests.ts'

/** More than two pages. */
const count = 1_100

interface Bed {
  readonly api: ApiServer
  readonly proxy: RunningProxy
  readonly target: ApiTarget
}

for (const kind of ['embedded', 'real'] as const) {
  t.test(`an informer on the ${kind} server`, async t => {
    const api = await startApiServer({ kind, run: `informer-${randomBytes(3).toString('hex')}` })
    const proxy = await startFaultProxy(api)
    t.teardown(async () => {
      await proxy.stop()
      await api.stop()
    })
    await applyManifests(api)
    await inParallel(count, at => make(api, `n${at}`))
    const bed = { api, proxy, target: await proxy.targetFor('nopal', 'nopal') }
    await t.test('a list in pages, then changes', t => followsPages(t, bed))
    for (const row of faultRows) await t.test(row.name, t => survives(t, bed, row))
  })
}

interface FaultRow {
  readonly name: string
  readonly faults: readonly Fault[]
}

const watches = { path: '/api/v1/nodes', watch: true }
const faultRows: readonly FaultRow[] = [
  { name: 'cut', faults: [] },
  { name: 'its place is forgotten', faults: [{ does: 'answer', code: 410, times: 1, ...watches }] },
  {
    name: 'its place is forgotten, and so is the moment of the new list, between two pages',
    faults: [
      { does: 'answer', code: 410, times: 1, ...watches },
      { does: 'answer', code: 410, times: 1, path: 'continue=' },
    ],
  },
  {
    name: 'its place is forgotten, and a page breaks off',
    faults: [
      { does: 'answer', code: 410, times: 1, ...watches },
      { does: 'halfBody', times: 1, path: 'continue=' },
    ],
  },
]

async function followsPages(t: Test, { api, target }: Bed): Promise<void> {
  const { informer, keys, userAgent } = await start(t, target)
  t.equal(keys.size, count)
  const lists = (await api.requests()).filter(line => line.userAgent === userAgent && line.verb === 'list')
  const queries = lists.map(({ query }) => new URLSearchParams(query))
  t.same(
    queries.map(query => [query.get('limit'), query.get('resourceVersion'), query.has('continue')]),
    [
      ['500', null, false],
      ['500', null, true],
      ['500', null, true],
    ],
  )
  await change(api, 'n7', { label: 'changed' })
  await until('a change', () => informer.get('n7')?.labels?.label === 'changed')
  await make(api, 'late')
  await until('one that comes', () => keys.has('late'))
  await api.send(remove(`${nodes}/late`))
  await until('one that goes', () => !keys.has('late') && informer.get('late') === undefined)
}

/** What happens while the watch is broken is known afterwards, and nothing is forgotten meanwhile. */
async function survives(t: Test, { api, proxy, target }: Bed, { faults }: FaultRow): Promise<void> {
  const { informer, keys, least } = await start(t, target)
  const mark = randomBytes(4).toString('hex')
  await proxy.set({ does: 'refuse' })
  await until('the cut', () => !informer.live())
  await change(api, 'n1', { mark })
  await make(api, `new-${mark}`)
  await api.send(remove(`${nodes}/n${count - 1}`))
  await proxy.set(...faults)
  const limitMs = 60_000
  await until('the change', () => informer.get('n1')?.labels?.mark === mark, { limitMs })
  await until('the one that came', () => keys.has(`new-${mark}`), { limitMs })
  await until('the one that went', () => !keys.has(`n${count - 1}`), { limitMs })
  t.same(
    await proxy.hits(),
    faults.map(() => 1),
    'the faults were met',
  )
  await proxy.clear()
  await api.send(remove(`${nodes}/new-${mark}`))
  await until('the watch goes on', () => !keys.has(`new-${mark}`), { limitMs })
  t.equal(keys.size, count - 1)
  t.equal(least(), count - 1, 'and never fewer')
  await make(api, `n${count - 1}`)
}

/** An informer that is synced, and what a reader knows by its changes alone. */
async function start(t: Test, { url, ca, token }: ApiTarget) {
  const userAgent = `nopal/${randomBytes(4).toString('hex')}`
  const credentials = fixedCredentials(credentialsFor(url, { caPem: ca, token }))
  const api = createKubeClient({ credentials, userAgent })
  const log = createRecordingLogger()
  const shared = { api, log, clock: systemClock, random: Math.random }
  const informer: Informer<KubeNode> = startInformer({ ...shared, path: nodes, query: {}, parse: parseNode })
  t.teardown(async () => {
    await informer.stop()
    api.close()
  })
  const keys = new Set<string>()
  let least = Number.POSITIVE_INFINITY
  informer.subscribe(changes => {
    for (const { key, after } of changes) {
      if (after === undefined) keys.delete(key)
      else keys.add(key)
    }
    least = Math.min(least, keys.size)
  })
  await until('the first sync', () => informer.synced(), { limitMs: 60_000 })
  return { informer, keys, userAgent, least: () => least }
}

async function make(api: ApiServer, name: string): Promise<void> {
  const { code } = await api.send(post(nodes, node(name)))
  if (code !== 201) throw new Error(`node ${name}: ${code}`)
}

async function change(api: ApiServer, name: string, labels: object): Promise<void> {
  const { code } = await api.send(patchMerge(`${nodes}/${name}`, { metadata: { labels } }))
  if (code !== 200) throw new Error(`node ${name}: ${code}`)
}

async function inParallel(total: number, run: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < total) await run(next++)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}
