import t from 'tap'
import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { createLease } from '../../../../agent/kube/lease.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

interface StoredLease {
  metadata: { resourceVersion: string }
  spec: { holderIdentity: string }
}

/** An API with at most one Lease, which keeps the preconditions of writes. */
function createLeaseServer(holder?: string) {
  const requests: KubeRequest[] = []
  const calls: string[] = []
  let version = 1
  let lease: StoredLease | undefined =
    holder === undefined ? undefined : { metadata: { resourceVersion: '1' }, spec: { holderIdentity: holder } }
  const store = (body: StoredLease) => {
    version += 1
    lease = { metadata: { resourceVersion: String(version) }, spec: body.spec }
    return lease
  }
  /** A Lease that is made has no version, nor has one that is not there. */
  const write = (body: StoredLease) => {
    if (lease?.metadata.resourceVersion === body.metadata.resourceVersion) return store(body)
    throw new KubeError('Conflict', 'changed', { status: 409 })
  }
  const api: KubeApi = {
    server: 'https://test',
    async request(request) {
      requests.push(request)
      calls.push(request.method)
      if (request.signal?.aborted) throw request.signal.reason
      const body = request.body as StoredLease
      if (request.method !== 'GET') return write(body)
      if (lease === undefined) throw new KubeError('NotFound', 'no lease', { status: 404 })
      return lease
    },
  }
  return {
    api,
    requests,
    calls,
    holder: () => lease?.spec.holderIdentity,
    touch: (name: string) => store({ ...lease, spec: { holderIdentity: name } } as StoredLease),
  }
}

function leaseOn(api: KubeApi, holder = 'n1') {
  const clock = createFakeClock()
  const lease = createLease({ api, namespace: 'nopal', name: 'gate', holder, clock, log: createRecordingLogger() })
  return { clock, lease }
}

const { signal } = new AbortController()

t.test('absent: made, held during the work, given back', async t => {
  const server = createLeaseServer()
  const { lease } = leaseOn(server.api)
  const held = await lease.hold(signal, async () => server.holder())
  t.match(held?.result, /^n1_[0-9a-f]{8}$/)
  t.equal(server.holder(), '')
  t.same(server.calls, ['GET', 'POST', 'PUT'])
  t.equal(server.requests[0]?.path, '/apis/coordination.k8s.io/v1/namespaces/nopal/leases/gate')
  t.equal((await lease.hold(signal, async () => 'again'))?.result, 'again')
  t.same(server.calls.slice(3), ['GET', 'PUT', 'PUT'])
})

t.test('of many at once one gets it', async t => {
  const server = createLeaseServer()
  let inside = 0
  let most = 0
  const gate = Promise.withResolvers<void>()
  const tries = Array.from({ length: 20 }, (_, at) =>
    leaseOn(server.api, `n${at}`).lease.hold(signal, async () => {
      inside += 1
      most = Math.max(most, inside)
      await gate.promise
      inside -= 1
    }),
  )
  while (server.calls.length < 40) await new Promise(resolve => setImmediate(resolve))
  gate.resolve()
  const results = await Promise.all(tries)
  t.equal(results.filter(result => result !== undefined).length, 1)
  t.equal(most, 1)
})

t.test("another's is left alone until it has said nothing for 15 seconds by our clock", async t => {
  const server = createLeaseServer('n2_aaaa')
  const { lease, clock } = leaseOn(server.api)
  const attempt = async () => (await lease.hold(signal, async () => 'mine'))?.result
  t.equal(await attempt(), undefined)
  await clock.advance(14_999)
  t.equal(await attempt(), undefined)
  server.touch('n3_bbbb')
  await clock.advance(14_999)
  t.equal(await attempt(), undefined, 'it has changed meanwhile: the time begins anew')
  await clock.advance(15_000)
  t.equal(await attempt(), 'mine')
})

t.test('the work that fails gives it back and is heard of', async t => {
  const server = createLeaseServer()
  await t.rejects(
    leaseOn(server.api).lease.hold(signal, async () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.equal(server.holder(), '')
})

t.test('the work is called off before anybody may take over', async t => {
  const server = createLeaseServer()
  const { lease, clock } = leaseOn(server.api)
  const started = Promise.withResolvers<void>()
  const held = lease.hold(signal, async ({ signal: inside }) => {
    started.resolve()
    await new Promise(resolve => inside.addEventListener('abort', resolve))
    inside.throwIfAborted()
  })
  const calledOff = t.rejects(held, { code: 'TimedOut' })
  await started.promise
  await clock.advance(10_000)
  await calledOff
})

interface Refusal {
  readonly name: string
  readonly error: KubeError
}

const refusals: readonly Refusal[] = [
  { name: 'no right', error: new KubeError('Forbidden', 'no', { status: 403 }) },
  { name: 'no API', error: new KubeError('Unreachable', 'no') },
]

for (const { name, error } of refusals) {
  t.test(`${name}: nothing is done`, async t => {
    const api: KubeApi = { server: 'https://test', request: () => Promise.reject(error) }
    await t.rejects(
      leaseOn(api).lease.hold(signal, async () => t.fail('the work ran')),
      error,
    )
  })
}

t.test('an answer that is no Lease', async t => {
  for (const body of [undefined, null, {}, { metadata: {} }, { metadata: { resourceVersion: '' } }, []]) {
    const api: KubeApi = { server: 'https://test', request: async () => body }
    await t.rejects(
      leaseOn(api).lease.hold(signal, async () => 'ran'),
      { code: 'BadReply' },
    )
  }
})
