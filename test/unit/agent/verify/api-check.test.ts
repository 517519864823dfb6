import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import type { KubeApi } from '../../../../agent/kube/api.ts'
import { settleReads } from '../../../../agent/kube/settled-reads.ts'
import { createApiCheck } from '../../../../agent/verify/api-check.ts'
import { createTlsHandshake, type TlsHandshake } from '../../../../agent/verify/api-path-check.ts'
import { readKubernetesService } from '../../../../agent/verify/kubernetes-service.ts'
import { createFakeKube, hangs, type KubeReply, kubernetesService, refuses, servicePath } from './fake-kube.ts'
import { runFromHost, summarize } from './run-check.ts'

interface ApiCase {
  readonly name: string
  readonly reply: KubeReply
  readonly want: string
}

const cases: readonly ApiCase[] = [
  { name: 'the Service', reply: () => kubernetesService(), want: 'api pass' },
  { name: 'let in, but there is no such Service', reply: refuses('NotFound'), want: 'api pass' },
  { name: 'a login page in JSON', reply: () => ({ ok: true }), want: 'api fail BadReply' },
  { name: 'another object', reply: () => ({ kind: 'Node', metadata: { name: 'n2' } }), want: 'api fail BadReply' },
  { name: 'nothing', reply: () => null, want: 'api fail BadReply' },
  { name: 'null metadata', reply: () => ({ metadata: null }), want: 'api fail BadReply' },
  { name: 'no connection', reply: refuses('Unreachable'), want: 'api fail Unreachable' },
  { name: 'a certificate of a stranger', reply: refuses('TLSFailed'), want: 'api fail TLSFailed' },
  { name: 'a token that expired', reply: refuses('Unauthorized'), want: 'api fail Unauthorized' },
  { name: 'no rights', reply: refuses('Forbidden'), want: 'api fail Forbidden' },
  { name: 'a broken server', reply: refuses('ServerError'), want: 'api fail ServerError' },
  { name: 'a busy server', reply: refuses('Throttled'), want: 'api fail Throttled' },
  { name: 'half a body', reply: refuses('BadReply'), want: 'api fail BadReply' },
  { name: 'a slow server', reply: refuses('TimedOut'), want: 'api fail TimedOut' },
  { name: 'an answer that belongs to another verb', reply: refuses('Conflict'), want: 'api fail BadReply' },
  { name: 'silence, and a client that forgets its signal', reply: hangs(), want: 'api fail TimedOut' },
  {
    name: 'a fault of the client itself',
    reply: () => {
      throw new TypeError('undefined is not a function')
    },
    want: 'api fail TimedOut',
  },
]

for (const { name, reply, want } of cases) {
  t.test(`API check: ${name}`, async t => {
    const kube = createFakeKube({ [servicePath]: reply })
    const results = await runFromHost(create(kube, 300))
    t.strictSame(results.map(summarize), [`${want}: https://192.0.2.1:6443`])
  })
}

t.test('API check: it reads once and writes nothing', async t => {
  const kube = createFakeKube({ [servicePath]: () => kubernetesService() })
  await runFromHost(create(kube, 1234))
  t.match(kube.requests, [{ method: 'GET', path: '/api/v1/namespaces/default/services/kubernetes', timeoutMs: 1234 }])
  t.equal(kube.requests.length, 1)
})

t.test('API check: without a cluster it is skipped', async t => {
  const results = await runFromHost(create(undefined, 300))
  t.strictSame(results.map(summarize), ['api skip NoCluster: Kubernetes API'])
})

t.test('API check: what was read before does not hide that nobody answers now', async t => {
  const silent = createServer(socket => socket.on('error', () => undefined))
  const sockets = new Set<{ destroy(): void }>()
  silent.on('connection', socket => sockets.add(socket))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const { port } = silent.address() as AddressInfo
  const remembered = settleReads(createFakeKube({ [servicePath]: () => kubernetesService() }), () => true).api
  await runFromHost(create(remembered, 300))
  const place = { server: `https://127.0.0.1:${port}`, caPem: undefined, tlsServerName: undefined, insecure: false }
  const [result] = await runFromHost(
    create(
      remembered,
      300,
      createTlsHandshake(async () => place),
    ),
  )
  t.equal(result && summarize(result), 'api fail TimedOut: https://192.0.2.1:6443')
  t.match(result?.message, /TLS gets no answer/)
})

function create(kube: KubeApi | undefined, limitMs: number, handshake?: TlsHandshake) {
  return createApiCheck({
    limitMs,
    ports: { kube },
    handshake,
    readService(probe) {
      if (kube === undefined) throw new Error('nobody to ask')
      return probe.within(signal => readKubernetesService(kube, { signal, timeoutMs: limitMs }))
    },
  })
}
