import t from 'tap'
import type { PoolSettings } from '../../../../agent/config/settings.ts'
import { KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { createPoolBoard } from '../../../../agent/pool/board.ts'
import { formatLook } from '../../../../agent/pool/document.ts'
import { createPoolDuty } from '../../../../agent/pool/duty.ts'
import type { Listed } from '../../../../agent/pool/listing.ts'
import { createPoolMetrics } from '../../../../agent/pool/metrics.ts'
import type { CloudServer } from '../../../../agent/pool/server.ts'
import { PoolSync } from '../../../../agent/pool/sync.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { load } from '../config/given.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const signal = new AbortController().signal
const block = (n: number) => ({ cidr: `203.0.113.${n}/32` })

function server(id: number): CloudServer {
  const addresses = [{ family: 'ipv4', block: block(id).cidr, blocked: false }] as const
  return { id, name: `s${id}`, status: 'running', addresses }
}

/** A cluster that is a few values. */
class FakeCluster {
  readonly server = 'fake'
  /** Which of Cilium's APIs serve pools. */
  versions: readonly string[] = ['v2', 'v2alpha1']
  pool: { uid: string; blocks: readonly object[]; labels: Record<string, string>; annotations: object } | undefined
  image = 'quay.io/cilium/cilium:v1.19.5@sha256:0'
  services: readonly string[] = []
  refuseWrites = false
  readonly writes: KubeRequest[] = []

  async request(request: KubeRequest): Promise<unknown> {
    const { path, onItem } = request
    if (path === '/api/v1/services') {
      this.services.forEach((ip, at) => {
        onItem?.({ metadata: { name: `s${at}`, namespace: 'd' }, status: { loadBalancer: { ingress: [{ ip }] } } })
      })
      return { metadata: { resourceVersion: '1' } }
    }
    if (path === '/apis/apps/v1/daemonsets')
      return { items: [{ spec: { template: { spec: { containers: [{ image: this.image }] } } } }] }
    const [, version = '', name] = /^\/apis\/cilium\.io\/([^/]+)(\/.+)?$/.exec(path) ?? []
    if (name === undefined && version === 'v2')
      return {
        resources: [
          { name: 'ciliumnodes' },
          ...(this.versions.includes('v2') ? [{ name: 'ciliumloadbalancerippools' }] : []),
        ],
      }
    if (!this.versions.includes(version)) throw new KubeError('NotFound', 'no', { status: 404 })
    if (name === undefined) return { resources: [{ name: 'ciliumloadbalancerippools' }] }
    return request.method === 'PATCH' ? this.#write(request) : this.#read()
  }

  #read() {
    if (this.pool === undefined) throw new KubeError('NotFound', 'no', { status: 404 })
    const { blocks, ...metadata } = this.pool
    return { metadata, spec: { blocks } }
  }

  #write(request: KubeRequest) {
    this.writes.push(request)
    if (this.refuseWrites) throw new KubeError('Conflict', 'another one', { status: 409 })
    const { metadata, spec } = request.body as {
      metadata: { labels: object; annotations?: object }
      spec: { blocks: object[] }
    }
    this.pool = {
      uid: 'u',
      blocks: spec.blocks,
      labels: { ...metadata.labels },
      annotations: { ...metadata.annotations },
    }
    return this.#read()
  }
}

const marks = { 'app.kubernetes.io/managed-by': 'nopal' }

function start(given: Partial<PoolSettings> = {}) {
  const settings: PoolSettings = { ...load({}).settings.pool, ...given }
  const cluster = new FakeCluster()
  const clock = createFakeClock(1_000_000)
  const listed: { -readonly [K in keyof Listed]: Listed[K] } = {
    servers: [server(1)],
    isNew: true,
    fault: undefined,
    badAnswer: false,
  }
  const listing = { current: async () => ({ ...listed }), nextMs: () => 60_000 }
  const metrics = createMetrics()
  const board = createPoolBoard(settings.name)
  const events: string[] = []
  const log = createRecordingLogger()
  let successes = 0
  const duty = createPoolDuty({
    settings,
    sync: new PoolSync({ settings, api: cluster, listing, nodes: () => new Map(), clock }),
    listing,
    board,
    metrics: createPoolMetrics(metrics, settings.name),
    events: { record: async (_, { reason, note }) => void events.push(`${reason}: ${note}`) },
    log,
    onSuccess: () => (successes += 1),
  })
  const run = () => duty.reconcile(signal)
  const problems = () => board.section.problems?.() ?? []
  return { cluster, clock, listed, board, events, log, metrics, run, problems, successes: () => successes }
}

t.test('makes the pool, says so, and is well', async t => {
  const bed = start()
  t.equal(await bed.run(), 1_000)
  t.same(bed.cluster.pool?.blocks, [block(1)])
  t.match(bed.cluster.writes[0], {
    query: { fieldManager: 'nopal-pool', force: 'false', fieldValidation: 'Strict' },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: 'cilium.io/v2', metadata: { name: 'covidnetes-pool', labels: marks } },
  })
  t.same(bed.events, ['PoolChanged: create 203.0.113.1/32 (NewServer)'])
  t.equal(await bed.run(), 60_000)
  t.equal(bed.successes(), 1)
  t.equal(bed.cluster.writes.length, 1)
  t.same(bed.problems(), [])
  t.match(bed.board.section.json(), { pool: { apiVersion: 'cilium.io/v2', current: ['203.0.113.1/32'], held: [] } })
  t.match(await bed.metrics.render(), /nopal_pool_writes_total\{pool="covidnetes-pool",outcome="written"\} 1/)
})

t.test('of many changes the log names the first', async t => {
  const bed = start()
  bed.listed.servers = Array.from({ length: 60 }, (_, index) => server(index + 1))
  await bed.run()
  t.equal(bed.cluster.pool?.blocks.length, 60)
  const [, , fields] = bed.log.lines.find(([, message]) => message === 'pool written') ?? []
  t.match(fields, { count: 60, actions: { length: 50 } })
})

t.test('a dry run writes nothing', async t => {
  const bed = start({ dryRun: true })
  t.equal(await bed.run(), 60_000)
  t.equal(bed.cluster.writes.length, 0)
})

t.test('a removal is written down for the next leader, and counts for as long as miss-time', async t => {
  const bed = start({ misses: 1, missTimeMs: 0 })
  bed.cluster.pool = { uid: 'u', blocks: [block(1), block(2)], labels: marks, annotations: {} }
  await bed.run()
  t.same(bed.cluster.pool.blocks, [block(1)])
  t.same(bed.cluster.pool.annotations, { 'nopal.io/removals': '1970-01-01T00:16:40.000Z=1' })
  const next = start({ misses: 1, missTimeMs: 60_000 })
  next.cluster.pool = { ...bed.cluster.pool, blocks: [block(1), block(2)] }
  await next.run()
  await next.clock.advance(59_999)
  await next.run()
  t.equal(next.cluster.writes.length, 0, 'should not remove a second one yet')
  await next.clock.advance(60_000)
  await next.run()
  t.same(next.cluster.pool.blocks, [block(1)])
})

t.test('what is missed should not go while there is no newer list', async t => {
  const bed = start({ misses: 1, missTimeMs: 0 })
  bed.cluster.pool = { uid: 'u', blocks: [block(1), block(2)], labels: marks, annotations: {} }
  bed.listed.fault = 'Hetzner Cloud: 401 unauthorized'
  bed.listed.isNew = false
  for (let turn = 0; turn < 5; turn += 1) await bed.run()
  t.equal(bed.cluster.writes.length, 0)
  t.same(bed.problems(), ['pool: Hetzner Cloud: 401 unauthorized'])
  t.same(bed.events, ['PoolNotKept: Hetzner Cloud: 401 unauthorized'], 'told once')
  t.equal(bed.log.lines.filter(([level]) => level === 'warn').length, 1)
  t.equal(bed.successes(), 0)
})

t.test('no list yet, no pools served, nothing to go by', async t => {
  const bed = start()
  bed.listed.servers = undefined
  bed.listed.fault = 'no'
  t.equal(await bed.run(), 60_000)
  bed.cluster.versions = []
  bed.listed.servers = [server(1)]
  await bed.run()
  t.same(bed.problems(), ['pool: this cluster serves no CiliumLoadBalancerIPPool', 'pool: no'], 'all at once')
  t.equal(bed.cluster.writes.length, 0)
})

t.test('no server has these labels: that is told where there is no pool yet, too', async t => {
  const told = 'pool: no server has these labels ([pool] label-selector): the pool stays as it is (NoServers)'
  const bed = start()
  bed.listed.servers = []
  await bed.run()
  t.same(bed.problems(), [told])
  t.equal(bed.successes(), 0)
  const meant = start({ minAddresses: 0 })
  meant.listed.servers = []
  await meant.run()
  t.same(meant.problems(), [])
})

t.test('an answer that cannot be trusted should change nothing, and every address says so', async t => {
  const bed = start({ misses: 1, missTimeMs: 0 })
  bed.cluster.pool = { uid: 'u', blocks: [block(1), block(2)], labels: marks, annotations: {} }
  Object.assign(bed.listed, { servers: undefined, isNew: false, fault: 'no page (BadAnswer)', badAnswer: true })
  for (let turn = 0; turn < 5; turn += 1) await bed.run()
  const held = [1, 2].map(n => ({ action: 'remove', block: block(n).cidr, reason: 'BadAnswer' }))
  t.match(bed.board.section.json(), { pool: { actions: [], held } })
  t.same(bed.problems(), ['pool: no page (BadAnswer)'])
  bed.listed.servers = [server(1), server(3)]
  await bed.run()
  t.equal(bed.cluster.writes.length, 0, 'nor does the last good list')
  Object.assign(bed.listed, { isNew: true, fault: undefined, badAnswer: false })
  await bed.run()
  t.same(bed.cluster.pool.blocks, [block(1), block(3)], 'the next good one counts')
})

t.test('the version is looked for again when its path is gone', async t => {
  const bed = start()
  bed.cluster.versions = ['v2alpha1']
  await bed.run()
  t.match(bed.cluster.writes[0]?.path, /^\/apis\/cilium\.io\/v2alpha1\//)
  bed.cluster.versions = ['v2']
  bed.listed.servers = [server(1), server(2)]
  await bed.run()
  t.match(bed.cluster.writes[1]?.path, /^\/apis\/cilium\.io\/v2\//)
  t.same(bed.cluster.pool?.blocks, [block(1), block(2)])
})

t.test('a Cilium that cuts nodes off', async t => {
  for (const [image, safe] of [
    ['quay.io/cilium/cilium:v1.19.0', false],
    ['registry.example/mirror/cilium:v1.19.4@sha256:1', false],
    ['quay.io/cilium/cilium-ci:1.20.0-pre.0', false],
    ['quay.io/cilium/cilium:v1.19.5', true],
    ['quay.io/cilium/cilium:v1.18.9', true],
    ['quay.io/cilium/cilium:v1.20.0', true],
    ['quay.io/cilium/cilium:latest', true],
  ] as const) {
    const bed = start()
    bed.cluster.image = image
    await bed.run()
    t.equal(bed.cluster.writes.length, safe ? 1 : 0, image)
    t.match(bed.problems(), safe ? [] : [/Cilium 1\.\d+\.\d.* cuts a node off/])
  }
})

t.test('a write that is refused is planned anew; any other fault is told and thrown', async t => {
  const bed = start()
  bed.cluster.refuseWrites = true
  t.equal(await bed.run(), 1_000)
  t.match(await bed.metrics.render(), /outcome="refused"\} 1/)
  bed.cluster.refuseWrites = false
  bed.cluster.request = async () => {
    throw new KubeError('ServerError', 'etcd is away', { status: 500 })
  }
  await t.rejects(bed.run(), { code: 'ServerError' })
  t.same(bed.problems(), ['pool: etcd is away'])
  bed.board.clear()
  t.same(bed.problems(), [])
})

t.test('for people', async t => {
  const added = { action: 'add', block: '203.0.113.1/32', server: 1, reason: 'NewServer' } as const
  const kept = { action: 'remove', block: '203.0.113.2/32', server: null, reason: 'InUse' } as const
  const look = {
    pool: 'p',
    apiVersion: 'cilium.io/v2',
    current: ['203.0.113.2/32'],
    desired: [],
    problems: ['a problem'],
  } as const
  t.equal(
    formatLook({ ...look, current: [...look.current], problems: [...look.problems], actions: [added], held: [kept] }),
    `pool p, cilium.io/v2: 1 blocks
a problem
ACTION  BLOCK           SERVER  REASON
add     203.0.113.1/32  1       NewServer
remove  203.0.113.2/32  -       InUse      held
`,
  )
  const idle = { ...look, current: [...look.current], actions: [], held: [] }
  t.match(formatLook({ ...idle, problems: [] }), /\nnothing to do\n$/)
  t.match(formatLook({ ...idle, problems: ['a problem'] }), /\na problem\n$/, 'a failure is not nothing to do')
})
