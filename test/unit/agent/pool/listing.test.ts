import t, { type Test } from 'tap'
import { createHcloudClient } from '../../../../agent/pool/hcloud-client.ts'
import { createListing, type Listing } from '../../../../agent/pool/listing.ts'
import type { Clock } from '../../../../agent/runtime/clock.ts'
import { errorAnswer, json } from '../../../fakes/hcloud/answers.ts'
import { type FakeHcloud, startFakeHcloud } from '../../../fakes/hcloud/main.ts'
import { fakeServer } from '../../../fakes/hcloud/servers.ts'

const signal = new AbortController().signal

interface Bed {
  readonly fake: FakeHcloud
  readonly listing: Listing
  /** Moves the clock. */
  pass(ms: number): void
}

/** Waits are over at once, and time stands still unless it is told. */
async function start(t: Test, query = { selector: 'kops.k8s.io/instance-role=Node', token: '' }): Promise<Bed> {
  const fake = await startFakeHcloud()
  t.teardown(() => fake.stop())
  fake.servers = [fakeServer(1)]
  let now = 0
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(_, run) {
      const timer = setImmediate(run)
      return () => clearImmediate(timer)
    },
  }
  const nobody = () => undefined
  const client = createHcloudClient({
    endpoint: fake.url,
    userAgent: 'nopal/test',
    clock,
    random: () => 0,
    onAnswer: nobody,
    onRemaining: nobody,
  })
  const asked = async () => ({ ...query, token: query.token || fake.token })
  const listing = createListing({ client, query: asked, intervalMs: 60_000, clock })
  const pass = (ms: number) => {
    now += ms
  }
  return { fake, listing, pass }
}

t.test('asked once an interval, however often somebody looks', async t => {
  const { fake, listing, pass } = await start(t)
  t.match(await listing.current(signal), { servers: [{ id: 1 }], isNew: true, fault: undefined })
  for (let look = 0; look < 10; look += 1) t.match(await listing.current(signal), { isNew: false, fault: undefined })
  t.equal(fake.seen.length, 1)
  t.equal(listing.nextMs(), 60_000)
  pass(60_000)
  t.match(await listing.current(signal), { isNew: true })
  t.equal(fake.seen.length, 2)
})

t.test('429 with a reset an hour away: next try within a minute, and no tight loop', async t => {
  const { fake, listing, pass } = await start(t)
  await listing.current(signal)
  pass(60_000)
  fake.rate.remaining = 0
  fake.rate.resetSeconds = Math.round(Date.now() / 1000) + 3600
  const waits: number[] = []
  for (let refusals = 0; refusals < 8; refusals += 1) {
    const before = fake.seen.length
    t.match(await listing.current(signal), {
      servers: [{ id: 1 }],
      isNew: false,
      fault: /rate_limit_exceeded|few questions/,
    })
    t.ok(fake.seen.length - before <= 1, 'one question at most')
    await listing.current(signal)
    t.ok(fake.seen.length - before <= 1, 'and none before its time')
    waits.push(listing.nextMs())
    pass(listing.nextMs())
  }
  t.ok(
    waits.every(ms => ms >= 5_000 && ms <= 60_000),
    waits.join(),
  )
  fake.rate.remaining = 3600
  pass(60_000 * 60)
  t.match(await listing.current(signal), { isNew: true, fault: undefined })
})

t.test('few questions left: the others get them', async t => {
  const { fake, listing, pass } = await start(t)
  fake.rate.remaining = 100
  await listing.current(signal)
  pass(60_000)
  t.match(await listing.current(signal), { isNew: false, fault: /few questions/ })
  t.equal(fake.seen.length, 1)
  pass(60_000)
  t.match(await listing.current(signal), { isNew: true, fault: undefined })
})

t.test('what passes is asked again, three times in all; what does not is not', async t => {
  const { fake, listing, pass } = await start(t)
  fake.instead = () => errorAnswer(503, 'unavailable', 'unavailable')
  t.match(await listing.current(signal), { servers: undefined, fault: /unavailable.*correlation id fake-3/ })
  t.equal(fake.seen.length, 3)
  pass(60_000)
  fake.instead = () => errorAnswer(401, 'unauthorized', 'unable to authenticate')
  t.match(await listing.current(signal), { servers: undefined, fault: /unauthorized/, badAnswer: false })
  t.equal(fake.seen.length, 4)
  pass(60_000)
  let failing = 2
  fake.instead = () => (failing-- > 0 ? errorAnswer(502, 'bad_gateway', 'bad gateway') : undefined)
  t.match(await listing.current(signal), { servers: [{ id: 1 }], isNew: true })
})

t.test('a list that changes while it is read is read again, and at last not believed', async t => {
  const { fake, listing, pass } = await start(t)
  const all = Array.from({ length: 120 }, (_, index) => fakeServer(index + 1))
  fake.servers = all
  let drifts = 1
  fake.instead = query => {
    if (query.get('page') === '2' && drifts-- > 0) fake.servers = all.slice(1)
    return undefined
  }
  const { servers } = await listing.current(signal)
  t.equal(servers?.length, 119)
  t.equal(fake.seen.length, 6)
  pass(60_000)
  fake.instead = query => {
    if (query.get('page') === '2') fake.servers = fake.servers.slice(1)
    return undefined
  }
  t.match(await listing.current(signal), { isNew: false, fault: /changed each time/ })
})

t.test('a page that fails: none of the list counts', async t => {
  const { fake, listing } = await start(t)
  fake.servers = Array.from({ length: 60 }, (_, index) => fakeServer(index + 1))
  fake.instead = query => (query.get('page') === '2' ? errorAnswer(500, 'server_error', 'error') : undefined)
  t.match(await listing.current(signal), { servers: undefined, fault: /server_error/ })
})

t.test('a page of more servers than a page may have: the list is none', async t => {
  const { fake, listing } = await start(t)
  const servers = Array.from({ length: 51 }, (_, index) => fakeServer(index + 1))
  const pagination = { page: 1, per_page: 50, next_page: null, last_page: 1, total_entries: 51 }
  fake.instead = () => json(200, { servers, meta: { pagination } })
  const fault = /a page of 51 servers, 50 are the most \(BadAnswer\)$/
  t.match(await listing.current(signal), { servers: undefined, fault, badAnswer: true })
})

t.test('addresses that are none: the list is none', async t => {
  const { fake, listing, pass } = await start(t)
  for (const ipv4 of ['', '1.2.3', '203.0.113.1/32', '0.0.0.0', '127.0.0.1', '::1']) {
    fake.servers = [fakeServer(1), fakeServer(2, { ipv4 })]
    t.match(await listing.current(signal), { servers: undefined, fault: /servers\.1\.public_net\.ipv4\.ip/ }, ipv4)
    pass(60_000)
  }
})

t.test('nobody there: the address and its setting are named', async t => {
  const { fake, listing } = await start(t)
  await fake.stop()
  const { fault } = await listing.current(signal)
  t.equal(fault, `Hetzner Cloud at ${fake.url} ([pool] hcloud-endpoint): no connection (ECONNREFUSED)`)
})

t.test('a token that cannot be sent is not shown', async t => {
  const { fake, listing } = await start(t, { selector: 'a=b', token: 'secret\nsecond-line' })
  t.same(await listing.current(signal), {
    servers: undefined,
    isNew: false,
    fault: 'the token has characters that no token has',
    badAnswer: false,
  })
  t.equal(fake.seen.length, 0)
})
