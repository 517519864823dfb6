import t from 'tap'
import { lookUpNetwork, lookUpPod } from '../../../../cni/kactus/lookup.ts'
import type { LookupAnswer } from '../../../../cni/networks/lookup-protocol.ts'
import { plainRequest } from '../../../../cni/networks/request.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import type { Json } from '../../../../cni/spec/json.ts'
import { refusalOf } from '../refusal.ts'
import {
  asksGreen,
  greenInDefault,
  greenInTeam,
  network,
  pod,
  podObject,
  podPath,
  Sources,
  sharing,
} from './lookup-fixtures.ts'

interface FoundCase {
  readonly name: string
  readonly agent?: LookupAnswer
  readonly api?: Readonly<Record<string, Json | Error>>
  readonly shared?: readonly string[]
  readonly want: readonly string[]
  readonly paths: readonly string[]
}

const foundCases: readonly FoundCase[] = [
  {
    name: 'the agent knows all: the API is not asked',
    agent: {
      pod: { uid: 'u1', annotations: asksGreen },
      networks: [{ kind: 'Network', object: network('default', 'green') }],
    },
    want: ['default/green'],
    paths: [],
  },
  {
    name: 'the agent knows of no networks',
    agent: { pod: { uid: 'u1', annotations: {} }, networks: [] },
    want: [],
    paths: [],
  },
  {
    name: "the pod's namespace comes before default",
    agent: {
      pod: { uid: 'u1', annotations: asksGreen },
      networks: [
        { kind: 'Network', object: network('default', 'green') },
        { kind: 'Network', object: network('team', 'green') },
      ],
    },
    want: ['team/green'],
    paths: [],
  },
  {
    name: 'a broken object that is not the one meant does no harm',
    agent: {
      pod: { uid: 'u1', annotations: asksGreen },
      networks: [
        { kind: 'Network', object: network('default', 'green', 'junk') },
        { kind: 'Network', object: network('team', 'green') },
      ],
    },
    want: ['team/green'],
    paths: [],
  },
  {
    name: 'an object of another kind is not meant',
    agent: {
      pod: { uid: 'u1', annotations: asksGreen },
      networks: [{ kind: 'NetworkAttachmentDefinition', object: network('team', 'green') }],
    },
    api: { [greenInTeam]: network('team', 'green') },
    want: ['team/green'],
    paths: [greenInTeam],
  },
  {
    name: 'the agent knows the pod, but not the network: only that is asked of the API',
    agent: { pod: { uid: 'u1', annotations: asksGreen }, networks: [] },
    api: { [greenInDefault]: network('default', 'green') },
    want: ['default/green'],
    paths: [greenInTeam, greenInDefault],
  },
  {
    name: 'the agent knows another pod of that name: the API has the last word',
    agent: { pod: { uid: 'old', annotations: { networks: 'junk' } }, networks: [] },
    api: { [podPath]: podObject({}) },
    want: [],
    paths: [podPath],
  },
  {
    name: 'no agent',
    api: { [podPath]: podObject(asksGreen), [greenInTeam]: network('team', 'green') },
    want: ['team/green'],
    paths: [podPath, greenInTeam],
  },
  {
    name: 'a static pod is known by its hash',
    api: { [podPath]: podObject({ 'kubernetes.io/config.mirror': 'u1' }, 'another') },
    want: [],
    paths: [podPath],
  },
  {
    name: "multus' form and kind",
    api: {
      [podPath]: podObject({ 'k8s.v1.cni.cncf.io/networks': 'default/green' }),
      '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/green': network('default', 'green'),
    },
    want: ['default/green'],
    paths: [podPath, '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/green'],
  },
  {
    name: 'a namespace that is shared',
    api: {
      [podPath]: podObject({ networks: '[{"name":"green","namespace":"infra"}]' }),
      '/apis/kaloom.com/v1/namespaces/infra/networks/green': network('infra', 'green'),
    },
    shared: ['infra'],
    want: ['infra/green'],
    paths: [podPath, '/apis/kaloom.com/v1/namespaces/infra/networks/green'],
  },
]

for (const { name, agent, api, shared = [], want, paths } of foundCases) {
  t.test(`pod: ${name}`, async t => {
    const sources = new Sources(agent, api)
    const found = await lookUpPod(sources, pod, sharing(...shared))
    t.strictSame(
      found.map(({ object }) => `${object.namespace}/${object.name}`),
      want,
    )
    t.strictSame(sources.paths, paths)
    t.strictSame(sources.questions, [{ namespace: 'team', pod: 'p1', network: undefined }])
  })
}

interface RefusedCase {
  readonly name: string
  readonly api: Readonly<Record<string, Json | Error>>
  readonly code: number
  readonly paths: readonly string[]
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'no pod', api: {}, code: 102, paths: [podPath] },
  {
    name: 'no network',
    api: { [podPath]: podObject(asksGreen) },
    code: 103,
    paths: [podPath, greenInTeam, greenInDefault],
  },
  { name: 'no API', api: { [podPath]: new Error('refused') }, code: 104, paths: [podPath] },
  {
    name: 'no API for the network',
    api: { [podPath]: podObject(asksGreen), [greenInTeam]: new Error('503') },
    code: 104,
    paths: [podPath, greenInTeam],
  },
  { name: 'a fault that has its code', api: { [podPath]: new CniError(77, 'x') }, code: 77, paths: [podPath] },
  { name: 'an answer that is no pod', api: { [podPath]: [] }, code: 104, paths: [podPath] },
  { name: 'a pod without uid', api: { [podPath]: { metadata: {} } }, code: 104, paths: [podPath] },
  { name: 'another pod of that name', api: { [podPath]: podObject(asksGreen, 'u2') }, code: 108, paths: [podPath] },
  {
    name: 'a pod that only says it is static',
    api: { [podPath]: podObject({ 'kubernetes.io/config.hash': 'u1' }, 'u2') },
    code: 108,
    paths: [podPath],
  },
  { name: 'an annotation that is bad', api: { [podPath]: podObject({ networks: '{}' }) }, code: 7, paths: [podPath] },
  {
    name: "another team's network: none is even looked at",
    api: { [podPath]: podObject({ networks: '[{"name":"green"},{"name":"red","namespace":"rival"}]' }) },
    code: 110,
    paths: [podPath],
  },
  {
    name: 'an object that is not the one asked for',
    api: { [podPath]: podObject(asksGreen), [greenInTeam]: network('rival', 'green') },
    code: 103,
    paths: [podPath, greenInTeam, greenInDefault],
  },
  {
    name: 'a network that leads to kactus',
    api: { [podPath]: podObject(asksGreen), [greenInTeam]: network('team', 'green', '{"type":"kactus"}') },
    code: 111,
    paths: [podPath, greenInTeam],
  },
  {
    name: 'a network that is junk',
    api: { [podPath]: podObject(asksGreen), [greenInTeam]: network('team', 'green', 5) },
    code: 7,
    paths: [podPath, greenInTeam],
  },
]

for (const { name, api, code, paths } of refusedCases) {
  t.test(`pod refused: ${name}`, async t => {
    const sources = new Sources(undefined, api)
    const error = await refusalOf(() => lookUpPod(sources, pod, sharing()))
    t.equal(error.code, code, error.message)
    t.strictSame(sources.paths, paths)
  })
}

t.test('without a uid any pod of that name is the one', async t => {
  const sources = new Sources(undefined, { [podPath]: podObject({}, 'whatever') })
  t.strictSame(await lookUpPod(sources, { ...pod, uid: undefined }, sharing()), [])
})

t.test('one network of a running pod', async t => {
  const request = plainRequest('Network', 'green', undefined)
  const answer = {
    pod: { uid: 'u1', annotations: {} },
    networks: [{ kind: 'Network' as const, object: network('team', 'green') }],
  }
  const sources = new Sources(answer)
  t.equal((await lookUpNetwork(sources, request, pod, sharing())).object.namespace, 'team')
  t.strictSame(sources.questions, [
    { namespace: 'team', pod: 'p1', network: { kind: 'Network', name: 'green', namespace: undefined } },
  ])
  t.strictSame(sources.paths, [])
  const foreign = plainRequest('Network', 'green', 'rival')
  t.equal((await refusalOf(() => lookUpNetwork(sources, foreign, pod, sharing()))).code, 110)
})
