import t from 'tap'
import { unmark } from '../../../../agent/gate/unmark.ts'
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
    name: 'a node that was never verified keeps its taint',
    labels: {},
    conditions: [],
    taints: [settings.taint],
    writes: [],
    notes: ['the node keeps taint node-ready/unverified: pods that do not tolerate it will not land'],
  },
]

for (const { name, labels, conditions, taints, writes, notes } of cases) {
  t.test(`taking our marks off a node: ${name}`, async t => {
    const node = { metadata: { name: 'n1', uid: 'u1', labels }, spec: { taints }, status: { conditions } }
    const api = createFakeKube({
      'GET /api/v1/nodes/n1': () => node,
      'PATCH /api/v1/nodes/n1': () => node,
      'PATCH /api/v1/nodes/n1/status': () => node,
    })
    t.same(await unmark({ api, node: 'n1', settings, signal: new AbortController().signal }), notes)
    t.same(
      api.requests.slice(1).map(request => request.body),
      writes,
    )
  })
}

t.test('taking our marks off a node that is gone, and where the API refuses', async t => {
  const { signal } = new AbortController()
  t.same(await unmark({ api: createFakeKube({}), node: 'n1', settings, signal }), ['there is no node n1'])
  const refusing = createFakeKube({ 'GET /api/v1/nodes/n1': refuses('Forbidden') })
  await t.rejects(unmark({ api: refusing, node: 'n1', settings, signal }), { code: 'Forbidden' })
})
