import t from 'tap'
import { KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { createEventRecorder, type KubeEvent, nodeRef } from '../../../../agent/kube/events.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const node = { name: 'n1', uid: 'u1' }
const failed: KubeEvent = { type: 'Warning', reason: 'NetworkFailed', note: 'NXDomain' }
const { signal } = new AbortController()

function recorder(fail: (request: KubeRequest) => KubeError | undefined = () => undefined) {
  const clock = createFakeClock(Date.parse('2026-01-01T12:00:00.123Z'))
  const requests: KubeRequest[] = []
  const api = {
    server: 'https://test',
    async request(request: KubeRequest) {
      requests.push(request)
      const error = fail(request)
      if (error !== undefined) throw error
      return {}
    },
  }
  const log = createRecordingLogger()
  return { clock, requests, log, events: createEventRecorder({ api, clock, log, instance: 'n1' }) }
}

t.test('an event as the API wants it', async t => {
  const { events, requests } = recorder()
  await events.record(nodeRef(node), failed, signal)
  t.match(requests, [
    {
      method: 'POST',
      path: '/apis/events.k8s.io/v1/namespaces/default/events',
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: /^n1\.[0-9a-f]{16}$/, namespace: 'default' },
        eventTime: '2026-01-01T12:00:00.123000Z',
        reportingController: 'nopal',
        reportingInstance: 'n1',
        action: 'NetworkFailed',
        type: 'Warning',
        reason: 'NetworkFailed',
        note: 'NXDomain',
        regarding: { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1' },
      },
    },
  ])
})

t.test('a name and a note at their longest', async t => {
  const { events, requests } = recorder()
  const name = `${'a'.repeat(199)}.${'b'.repeat(53)}`
  await events.record(nodeRef({ name, uid: 'u1' }), { ...failed, note: 'x'.repeat(5000) }, signal)
  const body = requests[0]?.body as { metadata: { name: string }; note: string; reportingInstance: string }
  t.match(body.metadata.name, /^a{199}\.[0-9a-f]{16}$/)
  t.equal(body.note.length, 1000)
})

t.test('what others have said steers no terminal that prints it', async t => {
  const { events, requests } = recorder()
  await events.record(nodeRef(node), { ...failed, note: 'no JSON: "\u001b[2J\u202egreen"\nnext' }, signal)
  t.match(requests[0]?.body, { note: 'no JSON: "\\u001b[2J\\u202egreen"\nnext' })
})

t.test('repeats count up one event and are written ever more rarely', async t => {
  const { events, requests } = recorder()
  for (let i = 0; i < 20; i++) await events.record(nodeRef(node), failed, signal)
  t.same(
    requests.map(({ method, body }) => [method, (body as { series?: { count: number } }).series?.count]),
    [
      ['POST', undefined],
      ['PATCH', 2],
      ['PATCH', 4],
      ['PATCH', 8],
      ['PATCH', 16],
    ],
  )
  const [first, second] = requests
  const { name } = (first?.body as { metadata: { name: string } } | undefined)?.metadata ?? {}
  t.equal(second?.path, `/apis/events.k8s.io/v1/namespaces/default/events/${name}`)
})

t.test('another reason, note or node is another event; so is the same one much later', async t => {
  const { events, requests, clock } = recorder()
  await events.record(nodeRef(node), failed, signal)
  await events.record(nodeRef(node), { ...failed, note: 'other' }, signal)
  await events.record(nodeRef({ ...node, uid: 'u2' }), failed, signal)
  await clock.advance(11 * 60_000)
  await events.record(nodeRef(node), failed, signal)
  t.same(
    requests.map(({ method }) => method),
    ['POST', 'POST', 'POST', 'POST'],
  )
})

t.test('an event that was swept away starts anew', async t => {
  const { events, requests, log } = recorder(({ method }) =>
    method === 'PATCH' ? new KubeError('NotFound', 'gone') : undefined,
  )
  await events.record(nodeRef(node), failed, signal)
  await events.record(nodeRef(node), failed, signal)
  await events.record(nodeRef(node), failed, signal)
  t.same(
    requests.map(({ method }) => method),
    ['POST', 'PATCH', 'POST'],
  )
  t.match(log.lines, [['warn', 'event not sent', { reason: 'NetworkFailed' }]])
})

t.test('an Event about an object of a namespace is sent there', async t => {
  const { events, requests } = recorder()
  await events.record({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'p1', uid: 'u9' }, failed, signal)
  t.match(requests, [
    {
      method: 'POST',
      path: '/apis/events.k8s.io/v1/namespaces/shop/events',
      body: { metadata: { namespace: 'shop' }, regarding: { kind: 'Pod', namespace: 'shop', name: 'p1', uid: 'u9' } },
    },
  ])
})
