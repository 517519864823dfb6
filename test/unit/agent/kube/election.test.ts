import t, { type Test } from 'tap'
import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { type Election, type LeaderState, startElection, type Term } from '../../../../agent/kube/election.ts'
import { LeaseObject } from '../../../../agent/kube/lease-object.ts'
import { createFakeClock, type FakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

interface Stored {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions?: number }
}

/** One Lease and one object that leaders write to. */
function createServer() {
  let version = 1
  let lease: Stored | undefined
  const written: string[] = []
  return {
    written,
    holder: () => lease?.spec.holderIdentity,
    transitions: () => lease?.spec.leaseTransitions,
    /** Somebody writes to the Lease without taking it. */
    touch() {
      version += 1
      if (lease !== undefined) lease = { ...lease, metadata: { resourceVersion: String(version) } }
    },
    answer(request: KubeRequest): unknown {
      if (!request.path.includes('/leases')) {
        written.push(String(request.body))
        return {}
      }
      if (request.method === 'GET') {
        if (lease === undefined) throw new KubeError('NotFound', 'no lease', { status: 404 })
        return lease
      }
      const body = request.body as Stored
      if (lease?.metadata.resourceVersion !== body.metadata.resourceVersion)
        throw new KubeError('Conflict', 'changed', { status: 409 })
      version += 1
      lease = { metadata: { resourceVersion: String(version) }, spec: body.spec }
      return lease
    },
  }
}

type Server = ReturnType<typeof createServer>

interface Link {
  state: 'well' | 'cut' | 'hanging'
}

/** A way to the server that can be cut, or be silent until its request is given up. */
function linkTo(server: Server, link: Link): KubeApi {
  return {
    server: 'https://test',
    async request(request) {
      request.signal?.throwIfAborted()
      if (link.state === 'cut') throw new KubeError('Unreachable', 'cut')
      if (link.state === 'hanging') {
        await new Promise(resolve => request.signal?.addEventListener('abort', resolve, { once: true }))
        throw request.signal?.reason
      }
      return server.answer(request)
    },
  }
}

interface Candidate {
  readonly election: Election
  readonly clock: FakeClock
  readonly link: Link
  readonly states: LeaderState[]
  readonly log: ReturnType<typeof createRecordingLogger>
  term(): Term | undefined
}

function stand(t: Test, server: Server, holder: string, clock = createFakeClock()): Candidate {
  const link: Link = { state: 'well' }
  const api = linkTo(server, link)
  const states: LeaderState[] = []
  let term: Term | undefined
  const log = createRecordingLogger()
  const election = startElection({
    api,
    lease: new LeaseObject({ api, namespace: 'nopal', name: 'nopal-leader', holder, clock }),
    async lead(begun) {
      term = begun
      await new Promise(resolve => begun.signal.addEventListener('abort', resolve, { once: true }))
      term = undefined
    },
    onState: state => void states.push(state),
    clock,
    random: () => 0,
    log,
  })
  t.teardown(() => {
    link.state = 'cut'
    return Promise.race([election.stop(), clock.advance(1)])
  })
  return { election, clock, link, states, log, term: () => term }
}

/** Moves several clocks on as one. */
async function advance(ms: number, ...clocks: readonly FakeClock[]): Promise<void> {
  for (let past = 0; past < ms; past += 500) for (const clock of clocks) await clock.advance(500)
}

t.test('the first leads, the second stands by', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await settle()
  const two = stand(t, server, 'n2')
  await advance(60_000, one.clock, two.clock)
  t.ok(one.term())
  t.notOk(two.term())
  t.match(server.holder(), /^n1_/)
  t.equal(server.transitions(), 1, 'renewals are no transitions')
  t.equal(one.states.at(-1), 'leading')
  t.equal(two.states.at(-1), 'standby')
})

t.test('given back at the end: the next leads within one retry', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  const two = stand(t, server, 'n2')
  await advance(4_000, one.clock, two.clock)
  const [leader, other] = one.term() ? [one, two] : [two, one]
  await leader.election.stop()
  t.equal(server.holder(), '')
  await advance(2_500, other.clock)
  t.ok(other.term())
  t.equal(server.transitions(), 2)
})

for (const state of ['cut', 'hanging'] as const) {
  t.test(`${state} off: the leader has ended before another begins`, async t => {
    const server = createServer()
    const one = stand(t, server, 'n1')
    await settle()
    const two = stand(t, server, 'n2')
    await advance(4_000, one.clock, two.clock)
    one.link.state = state
    let both = 0
    let gap = 0
    for (let past = 0; past < 40_000; past += 500) {
      await advance(500, one.clock, two.clock)
      if (one.term() && two.term()) both += 1
      if (!one.term() && !two.term()) gap += 500
    }
    t.equal(both, 0)
    t.ok(two.term())
    t.ok(gap > 0, 'there is a time without any')
    t.notOk(one.term())
  })
}

t.test('a leader that slept through its term writes nothing when it wakes', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await settle()
  const two = stand(t, server, 'n2')
  await advance(4_000, one.clock, two.clock)
  const term = one.term()
  if (term === undefined) throw new Error('nobody leads')
  await advance(20_000, two.clock)
  t.ok(two.term(), 'the other took over')
  // The clock has moved on without any timer having run: the first thing that wakes is somebody's write.
  const atMs = one.clock.monotonic()
  Object.assign(one.clock, { monotonic: () => atMs + 20_000 })
  await t.rejects(term.api.request({ method: 'PATCH', path: '/api/v1/nodes/n1', body: 'late' }), { code: 'TermEnded' })
  t.throws(() => term.fence(), { code: 'TermEnded' })
  t.same(server.written, [])
})

t.test('clocks of day that are a minute apart change nothing', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1', createFakeClock(0))
  await settle()
  const two = stand(t, server, 'n2', createFakeClock(60_000))
  let both = 0
  for (let past = 0; past < 60_000; past += 500) {
    await advance(500, one.clock, two.clock)
    if (one.term() && two.term()) both += 1
  }
  t.equal(both, 0)
  t.ok(one.term(), 'the first still leads')
})

t.test('somebody who annotates the Lease takes nothing away', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await advance(3_000, one.clock)
  server.touch()
  await advance(30_000, one.clock)
  t.ok(one.term())
  t.notOk(one.states.includes('standby'))
})

t.test('a write in flight is cut off with the term', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await advance(4_000, one.clock)
  const term = one.term()
  if (term === undefined) throw new Error('nobody leads')
  one.link.state = 'hanging'
  const write = term.api.request({ method: 'POST', path: '/api/v1/things', body: 'x' })
  write.catch(() => undefined)
  await advance(12_000, one.clock)
  await t.rejects(write, { code: 'TermEnded' })
})

t.test('an API that never answers: nobody leads, and it is said', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  one.link.state = 'cut'
  await advance(10_000, one.clock)
  t.notOk(one.term())
  t.notOk(one.states.includes('standby'), 'nobody has said that another leads')
})

t.test('without a Lease: leads until it is stopped', async t => {
  const server = createServer()
  const states: LeaderState[] = []
  let ended = false
  const election = startElection({
    api: linkTo(server, { state: 'well' }),
    lease: undefined,
    async lead({ api, fence, signal }) {
      fence()
      await api.request({ method: 'POST', path: '/api/v1/things', body: 'x' })
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      ended = true
    },
    onState: state => void states.push(state),
    clock: createFakeClock(),
    random: () => 0,
    log: createRecordingLogger(),
  })
  await settle()
  await election.stop()
  t.same(server.written, ['x'])
  t.same(states, ['leading'])
  t.ok(ended)
})
