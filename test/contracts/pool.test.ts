import t from 'tap'
import { serveVersions } from '../cluster/crd-versions.ts'
import { compareRights, grantsOf, withoutDiscovery } from '../e2e/rights.ts'
import { until } from '../machine/wait.ts'
import {
  clear,
  lists,
  numbers,
  poolPath,
  readPool,
  runPool,
  servers,
  startBed,
  startCloud,
  startLeader,
  untilNumbers,
  writes,
} from './pool/bed.ts'

/** The pool on a real API server with the schema of Cilium's CRD, by the leader's own rights; Hetzner Cloud is a fake. */
const bed = await startBed(t, 'pool')
const { server } = bed
t.beforeEach(() => clear(bed))

const cidr = (n: number) => ({ cidr: `198.51.100.${n}/32` })
async function putPool(spec: object, metadata: object = {}): Promise<void> {
  const body = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumLoadBalancerIPPool',
    metadata: { name: 'covidnetes-pool', ...metadata },
    spec,
  }
  const path = `${poolPath()}?fieldManager=argocd-controller&force=true`
  const { code } = await server.send({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' })
  if (code > 201) throw new Error(`pool: ${code}`)
}

async function putService(ip: string | undefined): Promise<void> {
  const path = '/api/v1/namespaces/default/services/web'
  const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] }
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec }
  await server.send({ method: 'POST', path: '/api/v1/namespaces/default/services', body })
  const status = { loadBalancer: { ingress: ip === undefined ? [] : [{ ip }] } }
  const contentType = 'application/merge-patch+json'
  const { code } = await server.send({ method: 'PATCH', path: `${path}/status`, body: { status }, contentType })
  if (code !== 200) throw new Error(`service: ${code}`)
}

t.test('the pool is made, grows at its end, shrinks after misses; nothing is written for nothing', async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(2, 1)
  const leader = await startLeader(t, { bed, cloud })
  await untilNumbers(bed, [1, 2])
  const made = await readPool(bed)
  t.equal(made?.metadata.labels?.['app.kubernetes.io/managed-by'], 'nopal')
  const before = await writes(bed)
  cloud.servers.reverse()
  await lists(cloud, 3)
  t.equal(await writes(bed), before, 'another order writes nothing')
  cloud.servers = servers(3, 2, 0x0a, 1)
  await untilNumbers(bed, [1, 2, 3, 10])
  cloud.servers = servers(1, 3, 10)
  await untilNumbers(bed, [1, 3, 10])
  t.equal((await readPool(bed))?.metadata.uid, made?.metadata.uid)
  const actual = 'nopal_pool_blocks{pool="covidnetes-pool",state="actual"} 3'
  await until('it to be counted', async () => (await leader.get('/metrics')).text.includes(actual))
  t.equal((await leader.get('/health')).code, 200)
  t.match((await leader.get('/metrics')).text, /nopal_last_success_timestamp_seconds\{duty="pool"\} \d/)
  t.notMatch(leader.text(), cloud.token)
})

t.test('20 servers, 3, 20: nothing is removed', async t => {
  const cloud = await startCloud(t)
  const all = Array.from({ length: 20 }, (_, index) => index + 1)
  cloud.servers = servers(...all)
  const leader = await startLeader(t, { bed, cloud, env: { NOPAL_POOL_MISSES: '3' } })
  await untilNumbers(bed, all)
  const before = await writes(bed)
  const isSeen = Promise.withResolvers<void>()
  let asked = 0
  cloud.servers = servers(1, 2, 3)
  cloud.instead = async () => {
    asked += 1
    // Absent once less than it takes, however long the test needs to see it.
    if (asked <= 2) return undefined
    await isSeen.promise
    cloud.servers = servers(...all)
    return undefined
  }
  await until('the absence to be seen', async () => (await leader.get('/status.json')).text.includes('"Missed"'))
  isSeen.resolve()
  await lists(cloud, 2)
  t.same(await numbers(bed), all)
  t.equal(await writes(bed), before)
})

t.test('an address that a Service has stays until the Service lets it go', async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1, 2)
  await putService('198.51.100.2')
  const leader = await startLeader(t, { bed, cloud })
  await untilNumbers(bed, [1, 2])
  cloud.servers = servers(1)
  await until('it to drain', async () => (await leader.get('/metrics')).text.includes('state="draining"} 1'))
  t.same(await numbers(bed), [1, 2])
  await putService(undefined)
  await untilNumbers(bed, [1])
})

t.test("somebody else's pool is refused by name; told to, it is taken over and only its blocks change", async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1, 2)
  const tracking = {
    'argocd.argoproj.io/tracking-id': 'cilium-lb:cilium.io/CiliumLoadBalancerIPPool:x/covidnetes-pool',
  }
  const serviceSelector = { matchLabels: { color: 'blue' } }
  await putPool(
    { blocks: [cidr(9)], serviceSelector, disabled: true, allowFirstLastIPs: 'No' },
    { annotations: tracking },
  )
  const first = await startLeader(t, { bed, cloud })
  const health = await until('it to say so', async () => {
    const answer = await first.get('/health')
    return answer.text.includes('pool covidnetes-pool belongs to argocd-controller') && answer
  })
  t.equal(health.code, 503)
  t.same(await numbers(bed), [9])
  await until('the Event', async () => {
    const events = await server.send({ method: 'GET', path: '/apis/events.k8s.io/v1/namespaces/default/events' })
    const { items } = events.body as { readonly items: readonly { readonly reason: string; readonly note: string }[] }
    return items.some(({ reason, note }) => reason === 'PoolNotKept' && note.includes('belongs to argocd-controller'))
  })
  await first.stop()
  const dry = await runPool({ bed, cloud, env: { NOPAL_POOL_ADOPT: 'true' } }, ['--output', 'json'])
  t.equal(dry.code, 1)
  t.match(JSON.parse(dry.stdout), {
    apiVersion: 'cilium.io/v2',
    current: ['198.51.100.9/32'],
    actions: [
      { action: 'add', block: '198.51.100.1/32', server: 1, reason: 'NewServer' },
      { action: 'add', block: '198.51.100.2/32', server: 2 },
    ],
    held: [{ action: 'remove', block: '198.51.100.9/32', server: null, reason: 'Missed' }],
  })
  t.same(await numbers(bed), [9])
  await startLeader(t, { bed, cloud, env: { NOPAL_POOL_ADOPT: 'true' } })
  await untilNumbers(bed, [1, 2])
  const pool = await readPool(bed)
  t.match(pool?.spec, { serviceSelector, disabled: true, allowFirstLastIPs: 'No' })
  t.match(pool?.metadata.annotations, tracking)
})

t.test('who puts the blocks back each time is noticed, and left alone', async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1)
  await putPool({ blocks: [cidr(1), cidr(9)] })
  cloud.servers = servers(1, 2, 9)
  const before = await writes(bed)
  const leader = await startLeader(t, { bed, cloud, env: { NOPAL_POOL_ADOPT: 'true' } })
  const fights = async () => (await leader.get('/health')).text.includes('back each time')
  await until('it to stop', async () => {
    if ((await numbers(bed)).includes(2)) await putPool({ blocks: [cidr(1), cidr(9)] })
    return fights()
  })
  await lists(cloud, 3)
  t.equal((await writes(bed)) - before, 2)
  t.same(await numbers(bed), [1, 9])
  t.match((await leader.get('/health')).text, 'argocd-controller')
})

t.test("Cilium's operator writes the status all the time", async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1)
  await startLeader(t, { bed, cloud })
  await untilNumbers(bed, [1])
  let [writing, count] = [true, 0]
  const operator = (async () => {
    while (writing) {
      const condition = { type: 'cilium.io/IPsUsed', status: 'Unknown', reason: 'noreason', message: String(count++) }
      const conditions = [{ ...condition, lastTransitionTime: new Date().toISOString() }]
      const contentType = 'application/merge-patch+json'
      await server.send({
        method: 'PATCH',
        path: `${poolPath()}/status`,
        body: { status: { conditions } },
        contentType,
      })
    }
  })()
  const before = await writes(bed)
  for (const last of [2, 3, 4]) {
    cloud.servers = servers(...Array.from({ length: last }, (_, index) => index + 1))
    await untilNumbers(
      bed,
      Array.from({ length: last }, (_, index) => index + 1),
    )
  }
  writing = false
  await operator
  t.equal((await writes(bed)) - before, 3, `no write more than is needed, with ${count} of the operator`)
})

t.test('an upgrade from v2alpha1 to v2 while it runs', async t => {
  const pools = { group: 'cilium.io', plural: 'ciliumloadbalancerippools' }
  const serve = (...wanted: readonly string[]) => serveVersions(server, pools, wanted)
  t.teardown(() => serve('v2', 'v2alpha1'))
  await serve('v2alpha1')
  const cloud = await startCloud(t)
  cloud.servers = servers(1)
  const leader = await startLeader(t, { bed, cloud })
  const version = async () => /"apiVersion":"([^"]+)"/.exec((await leader.get('/status.json')).text)?.[1]
  await until('the pool', async () => (await server.send({ method: 'GET', path: poolPath('v2alpha1') })).code === 200)
  await until('the old version', async () => (await version()) === 'cilium.io/v2alpha1')
  await serve('v2')
  cloud.servers = servers(1, 2)
  await untilNumbers(bed, [1, 2])
  await until('the new version', async () => (await version()) === 'cilium.io/v2')
})

t.test('nodes = verified: a node that is not is not offered, and keeps the Service that it has', async t => {
  const label = { 'node-ready/verified': 'true' }
  for (const n of [1, 2, 3]) {
    const node = { metadata: { name: `n${n}`, labels: label }, spec: { providerID: `hcloud://${n}` } }
    await server.send({ method: 'POST', path: '/api/v1/nodes', body: { apiVersion: 'v1', kind: 'Node', ...node } })
    await server.send({
      method: 'PATCH',
      path: `/api/v1/nodes/n${n}/status`,
      body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      contentType: 'application/merge-patch+json',
    })
  }
  const mark = (n: number, value: string | null) =>
    server.send({
      method: 'PATCH',
      path: `/api/v1/nodes/n${n}`,
      body: { metadata: { labels: { 'node-ready/verified': value } } },
      contentType: 'application/merge-patch+json',
    })
  const cloud = await startCloud(t)
  cloud.servers = servers(1, 2, 3)
  await putService('198.51.100.2')
  const env = { NOPAL_POOL_NODES: 'verified', NOPAL_POOL_INTERVAL: '10m', NOPAL_POOL_MAX_REMOVALS: '2' }
  const leader = await startLeader(t, { bed, cloud, env })
  await untilNumbers(bed, [1, 2, 3])
  const startMs = performance.now()
  await mark(3, null)
  await untilNumbers(bed, [1, 2])
  t.comment(`out of the pool after ${Math.round(performance.now() - startMs)} ms`)
  const backMs = performance.now()
  await mark(3, 'true')
  await untilNumbers(bed, [1, 2, 3])
  t.comment(`back after ${Math.round(performance.now() - backMs)} ms`)
  await mark(2, null)
  await until('it to drain', async () => (await leader.get('/status.json')).text.includes('"InUse"'))
  t.same(await numbers(bed), [1, 2, 3])
  t.equal(cloud.seen.length, 1, 'Hetzner Cloud was asked once')
})

t.test('of the rights about the pool none is missing, and each is used', async t => {
  const asked = withoutDiscovery(await server.requests())
  const { grants, faults } = compareRights(grantsOf(bed.manifests), asked)
  t.same(faults, [])
  const unused = grants.filter(({ uses, resource }) => uses === 0 && resource !== 'leases')
  // An apply that makes the object needs it, too, and is a patch in the log.
  const [create, ...rest] = unused.map(({ verb, resource }) => `${verb} ${resource}`)
  t.equal(create, 'create ciliumloadbalancerippools')
  // An Event that comes again within ten minutes: test/unit/agent/kube/events.test.ts.
  t.same(
    rest.filter(right => right !== 'patch events'),
    [],
  )
})
