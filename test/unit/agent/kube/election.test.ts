import t from 'tap'
import { type LeaderState, startElection } from '../../../../agent/kube/election.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { advance, createServer, linkTo, stand, untilEnd } from './candidates.ts'

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
  const one = stand(t, server, 'n1', { clock: createFakeClock(0) })
  await settle()
  const two = stand(t, server, 'n2', { clock: createFakeClock(60_000) })
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

t.test('a Lease that somebody deletes: its holder ends before another begins', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await settle()
  const two = stand(t, server, 'n2')
  await advance(6_000, one.clock, two.clock)
  one.link.state = 'hanging'
  server.remove()
  const begun = { one: 0, two: 0 }
  for (let past = 0; past < 20_000; past += 500) {
    await advance(500, one.clock, two.clock)
    if (one.term()) begun.one = past
    if (two.term()) begun.two ||= past
    t.notOk(one.term() && two.term(), `${past} ms after`)
  }
  t.ok(begun.two > begun.one, JSON.stringify(begun))
  t.ok(two.term(), 'which does begin')
})

t.test('a Lease that somebody deletes is missed by its holder at the next renewal', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await advance(6_000, one.clock)
  server.remove()
  await advance(2_500, one.clock)
  t.ok(one.states.includes('standby'), 'the term has ended')
  await advance(5_000, one.clock)
  t.ok(one.term(), 'alone, it takes it again')
})

t.test('a program that says it may be silent for longer is believed', async t => {
  const server = createServer()
  server.put('other', 60)
  const one = stand(t, server, 'n1')
  await advance(59_000, one.clock)
  t.notOk(one.term())
  await advance(5_000, one.clock)
  t.ok(one.term())
})

t.test('a Lease that we took without hearing so is ours at the next try', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1', { state: 'deaf' })
  await settle()
  t.match(server.holder(), /^n1_/)
  t.notOk(one.term(), 'nobody knows yet')
  one.link.state = 'well'
  await advance(3_000, one.clock)
  t.ok(one.term())
  t.equal(server.transitions(), 1)
})

t.test('stopped right after the Lease has changed under it: given back all the same', async t => {
  const server = createServer()
  const one = stand(t, server, 'n1')
  await advance(4_000, one.clock)
  server.touch()
  await one.election.stop()
  t.equal(server.holder(), '')
})

t.test('not given back before the work has ended, nor after its time', async t => {
  const server = createServer()
  const work = Promise.withResolvers<void>()
  const one = stand(t, server, 'n1', { work: () => work.promise })
  await advance(4_000, one.clock)
  const stopped = one.election.stop()
  await advance(9_000, one.clock)
  t.match(server.holder(), /^n1_/, 'the work goes on')
  await advance(3_000, one.clock)
  work.resolve()
  await stopped
  t.match(server.holder(), /^n1_/, 'it may be about to be taken: it runs out')
})

for (const how of ['ends', 'fails'] as const) {
  t.test(`work that ${how} before its time: the Lease is given back, and tried for again`, async t => {
    const server = createServer()
    let terms = 0
    const one = stand(t, server, 'n1', {
      async work(term) {
        terms += 1
        if (terms > 1) return untilEnd(term)
        if (how === 'fails') throw new Error('not foreseen')
      },
    })
    await settle()
    t.equal(terms, 1)
    t.equal(server.holder(), '')
    await advance(3_000, one.clock)
    t.equal(terms, 2)
    t.ok(one.term())
    t.equal(one.log.lines.filter(([level]) => level === 'error').length, how === 'fails' ? 1 : 0)
  })
}
