import t from 'tap'
import { createPeerSource } from '../../../../../agent/verify/peers/source.ts'
import { createFakeKube, type KubeReply, refuses } from '../fake-kube.ts'

const slicesPath = 'GET /apis/discovery.k8s.io/v1/namespaces/nopal/endpointslices'
const nodesPath = 'GET /api/v1/nodes'
const endpoint = (nodeName: string, address: string, ready?: boolean) => ({
  addresses: [address],
  nodeName,
  conditions: { ready },
})
const slices = { items: [{ endpoints: [endpoint('n1', '192.0.2.1', true), endpoint('n2', '192.0.2.2', false)] }] }
const node = (name: string, address: string, conditions: readonly string[]) => ({
  metadata: { name, uid: `uid-${name}` },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address },
    ],
    conditions: conditions.map(type => ({ type, status: 'True' })),
  },
})
const nodes = {
  items: [node('n1', '192.0.2.1', ['Ready', 'nopal.io/NetworkReady']), node('n2', '192.0.2.2', ['Ready'])],
}
const both = [
  { node: 'n1', address: '192.0.2.1', ready: true },
  { node: 'n2', address: '192.0.2.2', ready: false },
]

interface SourceCase {
  readonly name: string
  readonly slices: KubeReply
  readonly nodes?: KubeReply
  readonly want: unknown
  readonly requests: number
}

const cases: readonly SourceCase[] = [
  { name: 'the agents’ Service', slices: () => slices, want: both, requests: 1 },
  { name: 'no Service: the first nodes', slices: () => ({ items: [] }), nodes: () => nodes, want: both, requests: 2 },
  {
    name: 'no right to slices: the first nodes',
    slices: refuses('Forbidden'),
    nodes: () => nodes,
    want: both,
    requests: 2,
  },
  { name: 'no right to anything', slices: refuses('Forbidden'), nodes: refuses('Forbidden'), want: [], requests: 2 },
  { name: 'no API', slices: refuses('Unreachable'), nodes: refuses('Unreachable'), want: [], requests: 2 },
]

for (const row of cases) {
  t.test(`peers: ${row.name}`, async t => {
    const kube = createFakeKube({ [slicesPath]: row.slices, ...(row.nodes && { [nodesPath]: row.nodes }) })
    t.strictSame(await source(kube).peers(new AbortController().signal), row.want)
    t.equal(kube.requests.length, row.requests)
  })
}

t.test('peers are kept for long, read again when doubted, and an API that did not say is asked again', async t => {
  const kube = createFakeKube({ [slicesPath]: () => slices })
  let nowMs = 0
  const { signal } = new AbortController()
  const peers = createPeerSource({ kube, namespace: 'nopal', clock: { monotonic: () => nowMs }, limitMs: 1000 })
  await peers.peers(signal)
  nowMs = 29 * 60_000
  await peers.peers(signal)
  t.equal(kube.requests.length, 1, 'kept')
  nowMs = 31 * 60_000
  await peers.peers(signal)
  t.equal(kube.requests.length, 2, 'read again')
  peers.forget()
  await peers.peers(signal)
  t.equal(kube.requests.length, 3, 'doubted')
  t.strictSame(kube.requests[0]?.query, { labelSelector: 'kubernetes.io/service-name=nopal', resourceVersion: '0' })
  const down = createFakeKube({ [slicesPath]: refuses('Unreachable'), [nodesPath]: refuses('Unreachable') })
  const blind = source(down)
  await blind.peers(signal)
  await blind.peers(signal)
  t.equal(down.requests.length, 4, 'not knowing is not kept')
})

t.test('junk has no peers in it', async t => {
  const peersIn = (found: unknown, list: unknown) =>
    source(createFakeKube({ [slicesPath]: () => found, [nodesPath]: () => list })).peers(new AbortController().signal)
  for (const junk of [undefined, null, 1, 'x', {}, { items: 1 }, { items: [null] }, { items: [{ endpoints: 1 }] }]) {
    t.strictSame(await peersIn(junk, junk), [])
    t.strictSame(await peersIn(junk, nodes), both, 'the nodes are asked for')
  }
  const half = { items: [{ endpoints: null }, { endpoints: [{ addresses: [] }, { addresses: ['192.0.2.9'] }] }] }
  const bare = { items: [{ metadata: { name: 'n', uid: '1' } }, { metadata: { name: 'm', uid: '2' }, status: {} }] }
  t.strictSame(await peersIn(half, bare), [])
  t.strictSame(await peersIn({ items: [slices.items[0], slices.items[0]] }, bare), both, 'a node once')
})

function source(kube: ReturnType<typeof createFakeKube>) {
  return createPeerSource({ kube, namespace: 'nopal', clock: { monotonic: () => 0 }, limitMs: 1000 })
}
