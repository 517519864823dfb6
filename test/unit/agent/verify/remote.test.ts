import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { type ProbeRequest, parseProbeRequest, parseProbeResults } from '../../../../agent/verify/remote.ts'
import { createRelayedApi, shareReads } from '../../../../agent/verify/shared-reads.ts'
import { createFakeKube, hangs, refuses } from './fake-kube.ts'

const request: ProbeRequest = {
  node: 'n1',
  overallMs: 1000,
  settings: {
    dnsDomains: ['x.test'],
    checkTimeoutMs: 100,
    tcp: [{ host: 'h', port: 1 }],
    ipFamilies: 'any',
    podPath: true,
  },
  apiService: undefined,
  api: { server: 'https://192.0.2.1', caPem: undefined, tlsServerName: undefined, insecure: false },
  reads: [
    { key: '/a?', answer: { items: [] } },
    { key: '/b?x=1', code: 'Forbidden', message: 'no' },
  ],
  clusterDns: { domain: undefined, servers: ['10.96.0.10'] },
  peers: [
    { node: 'n2', address: '192.0.2.2', ready: true, podAddresses: ['10.42.2.9'] },
    { node: 'n3', address: '192.0.2.3', ready: true },
  ],
  peerPort: 8080,
  addresses: { h: ['192.0.2.7'] },
  host: '10.42.1.1',
}

t.test('a request arrives as it was sent', t => {
  t.strictSame(parseProbeRequest(JSON.stringify(request)), request)
  t.end()
})

t.test('what is no request, and no list of results, is refused', t => {
  for (const junk of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...request, reads: 1 })]) {
    t.throws(() => parseProbeRequest(junk), junk)
  }
  const result = { code: 'dns', from: 'sandbox', target: 'x', result: 'pass', message: '', seconds: 0 }
  t.strictSame(parseProbeResults(JSON.stringify([result])), [result])
  for (const junk of [
    '',
    'null',
    '{}',
    JSON.stringify([{ ...result, code: 'cpu' }]),
    JSON.stringify([{ ...result, result: 'good' }]),
  ]) {
    t.throws(() => parseProbeResults(junk), junk)
  }
  t.end()
})

t.test('a run asks the API each question once, and another place gets the same answers', async t => {
  const kube = createFakeKube({ 'GET /a': () => ({ n: 1 }), 'GET /b': refuses('Forbidden'), 'POST /a': () => 'made' })
  const { api, relay } = shareReads(kube)
  t.strictSame(await Promise.all([api, api].map(each => each.request({ method: 'GET', path: '/a' }))), [
    { n: 1 },
    { n: 1 },
  ])
  await t.rejects(api.request({ method: 'GET', path: '/b', query: { limit: '1' } }), { code: 'Forbidden' })
  for (const _ of [1, 2]) t.equal(await api.request({ method: 'POST', path: '/a' }), 'made')
  t.equal(kube.requests.length, 4)
  const there = createRelayedApi('https://192.0.2.1', JSON.parse(JSON.stringify(await relay())))
  t.strictSame(await there.request({ method: 'GET', path: '/a' }), { n: 1 })
  await t.rejects(
    there.request({ method: 'GET', path: '/b', query: { limit: '1' } }),
    new KubeError('Forbidden', 'refused on purpose: Forbidden'),
  )
  await t.rejects(there.request({ method: 'GET', path: '/b' }), { code: 'BadReply' }, 'another question')
  await t.rejects(there.request({ method: 'GET', path: '/c' }), { code: 'BadReply' })
})

t.test('a read that hangs does not keep the others', async t => {
  const kube = createFakeKube({ 'GET /a': () => 1, 'GET /b': hangs() })
  const { api } = shareReads(kube)
  void api.request({ method: 'GET', path: '/b' })
  t.equal(await api.request({ method: 'GET', path: '/a' }), 1)
})
