import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import { networkFrom, podFrom } from '../../../../agent/lookup/objects.ts'
import { networkFrom as readNetwork } from '../../../../cni/networks/network-object.ts'
import { type RandomInput, randomInput, tryMany } from '../../cni/random-input.ts'

interface PodCase {
  readonly name: string
  readonly body: unknown
  readonly wanted: unknown
}

const podCases: readonly PodCase[] = [
  {
    name: 'only what an answer says is kept',
    body: {
      metadata: {
        ...{ name: 'p', namespace: 'default', uid: 'u1', resourceVersion: '7', labels: { a: 'b' } },
        annotations: { networks: '[]', 'k8s.v1.cni.cncf.io/networks': 'a', other: 'x'.repeat(1000) },
        managedFields: [{ manager: 'kubectl' }],
      },
      spec: { containers: [{ name: 'c', env: [{ name: 'SECRET', value: 's' }] }] },
    },
    wanted: { uid: 'u1', annotations: { networks: '[]', 'k8s.v1.cni.cncf.io/networks': 'a' } },
  },
  {
    name: 'what tells a mirror from its static pod',
    body: {
      metadata: { uid: 'u', annotations: { 'kubernetes.io/config.mirror': 'm', 'kubernetes.io/config.hash': 'h' } },
    },
    wanted: { uid: 'u', annotations: { 'kubernetes.io/config.mirror': 'm', 'kubernetes.io/config.hash': 'h' } },
  },
  { name: 'no annotations', body: { metadata: { uid: 'u' } }, wanted: { uid: 'u', annotations: {} } },
  {
    name: 'an annotation that is no list: kactus says so, not we',
    body: { metadata: { uid: 'u', annotations: { networks: '{' } } },
    wanted: { uid: 'u', annotations: { networks: '{' } },
  },
  { name: 'no uid', body: { metadata: { name: 'p' } }, wanted: undefined },
  { name: 'a uid that is a number', body: { metadata: { uid: 5 } }, wanted: undefined },
  { name: 'annotations that are a list', body: { metadata: { uid: 'u', annotations: [] } }, wanted: undefined },
  { name: 'no metadata', body: {}, wanted: undefined },
  { name: 'null', body: null, wanted: undefined },
  { name: 'a text', body: 'pod', wanted: undefined },
]

for (const { name, body, wanted } of podCases) {
  t.test(`pod: ${name}`, async t => t.strictSame(podFrom(body), wanted))
}

const metadata = { name: 'green', namespace: 'default' }
const resource = { 'k8s.v1.cni.cncf.io/resourceName': 'example.com/nic' }

const networkCases: readonly PodCase[] = [
  {
    name: 'only what kactus reads is kept',
    body: {
      kind: 'Network',
      metadata: { ...metadata, uid: 'u', managedFields: [{}], annotations: { ...resource, other: 'x' } },
      spec: { plugin: 'bridge', config: '{"mtu": 1.0}', more: true },
      status: {},
    },
    wanted: { metadata: { ...metadata, annotations: resource }, spec: { plugin: 'bridge', config: '{"mtu": 1.0}' } },
  },
  { name: 'an empty spec', body: { metadata, spec: {} }, wanted: { metadata, spec: {} } },
  { name: 'no spec', body: { metadata }, wanted: { metadata, spec: {} } },
  { name: 'nulls', body: { metadata, spec: { plugin: null, config: null } }, wanted: { metadata, spec: {} } },
  { name: 'a config that is no text', body: { metadata, spec: { config: {} } }, wanted: undefined },
  { name: 'a plugin that is no text', body: { metadata, spec: { plugin: 7 } }, wanted: undefined },
  { name: 'no namespace', body: { metadata: { name: 'a' } }, wanted: undefined },
  { name: 'a list', body: [], wanted: undefined },
]

for (const { name, body, wanted } of networkCases) {
  t.test(`network: ${name}`, async t => {
    const kept = networkFrom(body)
    t.strictSame(kept, wanted)
    if (kept !== undefined) t.strictSame(readBy(kept), readBy(body), 'kactus reads the same')
  })
}

/** What kactus reads, or how it refuses. */
function readBy(body: unknown): unknown {
  try {
    return readNetwork('Network', body)
  } catch (error) {
    return String(error)
  }
}

t.test('random objects: what is kept is what is read out of what is kept', async t => {
  const random = randomInput(12)
  const kept = { pods: 0, networks: 0 }
  const { surprises } = tryMany(
    3000,
    () => ({
      metadata: { uid: 'u', ...metadata, ...(Object(random.json()) as object), annotations: someAnnotations(random) },
      spec: random.pick([{ plugin: 'bridge', config: random.json() }, random.json()]),
    }),
    body => {
      const [pod, network] = [podFrom(body), networkFrom(body)]
      if (pod !== undefined) deepStrictEqual(podFrom({ metadata: pod }), pod)
      if (network !== undefined) deepStrictEqual(networkFrom(network), network)
      if (pod !== undefined) kept.pods++
      if (network !== undefined) kept.networks++
    },
    () => false,
  )
  t.strictSame(surprises, [])
  t.ok(kept.pods > 500 && kept.networks > 500 && kept.networks < 2500, JSON.stringify(kept))
})

/** Damaged wishes among sound ones, and what is no set of annotations at all. */
function someAnnotations(random: RandomInput): unknown {
  const networks = random.damaged('[{"name":"green","ifMac":"02:00:00:00:00:01"}]')
  return random.pick<unknown>([{ networks }, { networks, ...resource }, random.json()])
}
