import t from 'tap'
import { unmark } from '../../../../agent/gate/unmark.ts'
import { KubeError } from '../../../../agent/kube/api.ts'
import type { EventRecorder } from '../../../../agent/kube/events.ts'
import { createFakeKube, refuses } from '../verify/fake-kube.ts'

const settings = {
  taint: { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' },
  label: { key: 'node-ready/verified', value: 'true' },
} as const

const label = { 'node-ready/verified': 'true' }
const ours = { type: 'nopal.io/NetworkReady', status: 'True' }
const foreign = { type: 'Ready', status: 'True' }

interface Case {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly conditions: readonly object[]
  readonly taints: readonly object[]
  /** The bodies of the writes. */
  readonly writes: readonly unknown[]
  readonly notes: readonly string[]
  /** Events; absent = none. */
  readonly told?: readonly string[]
  /** Conditions that go besides. */
  readonly more?: readonly string[]
}

const others = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }

/** Remembers what it is told. */
function createEvents() {
  const told: string[] = []
  const record: EventRecorder['record'] = async (_, { type, reason }) => {
    told.push(`${type} ${reason}`)
  }
  return { told, record }
}

const labelPatch = [
  { op: 'test', path: '/metadata/uid', value: 'u1' },
  { op: 'test', path: '/metadata/labels/node-ready~1verified', value: 'true' },
  { op: 'remove', path: '/metadata/labels/node-ready~1verified' },
]
const conditionPatch = {
  metadata: { uid: 'u1' },
  status: { conditions: [{ type: 'nopal.io/NetworkReady', $patch: 'delete' }] },
}

const cases: readonly Case[] = [
  {
    name: 'label and condition',
    labels: { ...label, other: 'x' },
    conditions: [foreign, ours],
    taints: [],
    writes: [labelPatch, conditionPatch],
    notes: ['removed label node-ready/verified', 'removed condition nopal.io/NetworkReady'],
  },
  { name: 'nothing of ours', labels: { other: 'x' }, conditions: [foreign], taints: [], writes: [], notes: [] },
  {
    name: "a label of another value is somebody else's",
    labels: { 'node-ready/verified': 'maybe' },
    conditions: [],
    taints: [],
    writes: [],
    notes: [],
  },
  {
    name: 'the taint that kubelet registered the node with',
    labels: {},
    conditions: [],
    taints: [others, settings.taint],
    writes: [
      [
        { op: 'test', path: '/metadata/uid', value: 'u1' },
        { op: 'test', path: '/spec/taints', value: [others, settings.taint] },
        { op: 'remove', path: '/spec/taints/1' },
      ],
    ],
    notes: ['removed taint node-ready/unverified'],
    told: ['Warning TaintLifted'],
  },
  {
    name: "our key with another effect is somebody else's",
    labels: {},
    conditions: [],
    taints: [{ ...settings.taint, effect: 'NoExecute' }],
    writes: [],
    notes: [],
  },
  {
    name: "the leader's condition, where it is asked for",
    labels: {},
    conditions: [foreign, { type: 'nopal.io/EgressInEffect', status: 'False' }],
    taints: [],
    more: ['nopal.io/EgressInEffect'],
    writes: [
      { metadata: { uid: 'u1' }, status: { conditions: [{ type: 'nopal.io/EgressInEffect', $patch: 'delete' }] } },
    ],
    notes: ['removed condition nopal.io/EgressInEffect'],
  },
  {
    name: "the leader's condition, where it is not",
    labels: {},
    conditions: [{ type: 'nopal.io/EgressInEffect', status: 'False' }],
    taints: [],
    writes: [],
    notes: [],
  },
]

for (const { name, labels, conditions, taints, writes, notes, told = [], more = [] } of cases) {
  t.test(`taking our marks off a node: ${name}`, async t => {
    const node = { metadata: { name: 'n1', uid: 'u1', labels }, spec: { taints }, status: { conditions } }
    const api = createFakeKube({
      'GET /api/v1/nodes/n1': () => node,
      'PATCH /api/v1/nodes/n1': () => node,
      'PATCH /api/v1/nodes/n1/status': () => node,
    })
    const events = createEvents()
    const { signal } = new AbortController()
    t.same(await unmark({ api, events, node: 'n1', settings, conditions: more, signal }), notes)
    t.same(events.told, told)
    t.same(
      api.requests.slice(1).map(request => request.body),
      writes,
    )
  })
}

t.test('taking our marks off a node that is gone, and where the API refuses', async t => {
  const { signal } = new AbortController()
  const events = createEvents()
  t.same(await unmark({ api: createFakeKube({}), events, node: 'n1', settings, signal }), ['there is no node n1'])
  const refusing = createFakeKube({ 'GET /api/v1/nodes/n1': refuses('Forbidden') })
  await t.rejects(unmark({ api: refusing, events, node: 'n1', settings, signal }), { code: 'Forbidden' })
})

t.test('a taint that somebody else puts on meanwhile stays, and ours goes', async t => {
  const { signal } = new AbortController()
  const lists = [[settings.taint], [settings.taint, others]]
  const node = (taints: readonly object[] = []) => ({ metadata: { name: 'n1', uid: 'u1' }, spec: { taints } })
  const stale = new KubeError('Invalid', 'the test failed', { status: 422 })
  let reads = 0
  const api = createFakeKube({
    'GET /api/v1/nodes/n1': () => node(lists[reads++]),
    'PATCH /api/v1/nodes/n1': () => {
      if (reads < 2) throw stale
      return node()
    },
  })
  t.same(await unmark({ api, events: createEvents(), node: 'n1', settings, signal }), [
    'removed taint node-ready/unverified',
  ])
  t.match(api.requests.at(-1)?.body, [{}, { value: lists[1] }, { op: 'remove', path: '/spec/taints/0' }])
  const never = createFakeKube({
    'GET /api/v1/nodes/n1': () => node(lists[0]),
    'PATCH /api/v1/nodes/n1': () => {
      throw stale
    },
  })
  const events = createEvents()
  await t.rejects(unmark({ api: never, events, node: 'n1', settings, signal }), stale, 'not without end')
  t.same(events.told, [], 'and nothing is told')
})
