import t from 'tap'
import { createAccessSource } from '../../../../agent/install/access.ts'
import type { KubeRequest } from '../../../../agent/kube/api.ts'
import type { KubeCredentials } from '../../../../agent/kube/credentials.ts'
import { type CredentialsSource, fixedCredentials } from '../../../../agent/kube/follow-credentials.ts'

const signal = new AbortController().signal
const base: KubeCredentials = {
  source: 'kubeconfig',
  server: 'https://192.0.2.1:6443',
  caPem: 'the CA',
  tlsServerName: 'kubernetes',
  insecure: false,
  token: 'fixed',
  clientCertPem: 'a certificate',
  clientKeyPem: 'a key',
}
const hourMs = 60 * 60 * 1000

t.test('access: outside a pod kactus gets what the agent has', async t => {
  const { source, requests } = create(base)
  t.strictSame(await source(signal), {
    server: 'https://192.0.2.1:6443',
    caPem: 'the CA',
    tlsServerName: 'kubernetes',
    insecure: false,
    token: 'fixed',
    clientCertPem: 'a certificate',
    clientKeyPem: 'a key',
  })
  t.equal(requests.length, 0)
})

t.test('access: what the agent has is what kactus gets, also when it was renewed', async t => {
  let now = base
  const { source } = create({ last: () => base, current: async () => now })
  t.match(await source(signal), { clientCertPem: 'a certificate', caPem: 'the CA' })
  now = { ...base, clientCertPem: 'the next certificate', clientKeyPem: 'the next key', caPem: 'the next CA' }
  t.match(await source(signal), {
    clientCertPem: 'the next certificate',
    clientKeyPem: 'the next key',
    caPem: 'the next CA',
  })
})

t.test('access: in a pod kactus gets a token of its own account and nothing of the agent', async t => {
  const { source, requests } = create({ ...base, source: 'in-cluster' })
  t.match(await source(signal), { server: base.server, caPem: 'the CA', token: 'token 1', clientKeyPem: undefined })
  t.match(requests, [
    {
      method: 'POST',
      path: '/api/v1/namespaces/nopal/serviceaccounts/kactus/token',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600, boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: 'n1' } },
      },
    },
  ])
})

const renewals = [
  { name: 'an hour was asked for', spec: undefined, keptMs: hourMs / 3 },
  { name: 'the server grants less', spec: { expirationSeconds: 600 }, keptMs: 200_000 },
]

for (const { name, spec, keptMs } of renewals) {
  t.test(`access: a token is renewed after a third of its life: ${name}`, async t => {
    let asked = 0
    const request = async () => ({ ...(spec && { spec }), status: { token: `token ${++asked}` } })
    const { source, clock } = create({ ...base, source: 'in-cluster' }, request)
    t.equal((await source(signal)).token, 'token 1')
    clock.ms += keptMs - 1
    t.equal((await source(signal)).token, 'token 1')
    clock.ms += 1
    t.equal((await source(signal)).token, 'token 2')
  })
}

t.test('access: a Node that was made anew gets a token of its own at once', async t => {
  const { source, node } = create({ ...base, source: 'in-cluster' })
  const tokens: unknown[] = []
  for (const uid of [undefined, 'u1', 'u1', 'u2', undefined, 'u2']) {
    node.now = uid
    tokens.push((await source(signal)).token)
  }
  t.same(tokens, ['token 1', 'token 1', 'token 1', 'token 2', 'token 2', 'token 2'])
})

t.test('access: a refusal names the account', async t => {
  const { source } = create({ ...base, source: 'in-cluster' }, async () => Promise.reject(new Error('forbidden')))
  await t.rejects(source(signal), { code: 'NoToken', message: 'no token for ServiceAccount nopal/kactus: forbidden' })
})

for (const reply of [null, {}, { status: {} }, { status: { token: '' } }, { status: { token: 7 } }]) {
  t.test(`access: a reply without a token: ${JSON.stringify(reply)}`, async t => {
    const { source } = create({ ...base, source: 'in-cluster' }, async () => reply)
    await t.rejects(source(signal), { code: 'NoToken' })
  })
}

function create(given: KubeCredentials | CredentialsSource, request?: () => Promise<unknown>) {
  const credentials = 'current' in given ? given : fixedCredentials(given)
  const requests: KubeRequest[] = []
  const clock = { ms: 0, monotonic: () => clock.ms }
  const numbered = async (one: KubeRequest) => ({ status: { token: `token ${requests.push(one)}` } })
  const kube = { server: credentials.last().server, request: request ?? numbered }
  const node = { name: 'n1', now: undefined as string | undefined, uid: () => node.now }
  return { requests, clock, node, source: createAccessSource({ credentials, kube, namespace: 'nopal', node, clock }) }
}
