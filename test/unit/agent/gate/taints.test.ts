import t from 'tap'
import { closeSteps, liftSteps } from '../../../../agent/gate/taints.ts'
import type { JsonPatchStep } from '../../../../agent/kube/node-writer.ts'
import { type NodeParts, nodeOf, ownLabel, ownTaint, settings } from './samples.ts'

interface Case extends NodeParts {
  readonly name: string
  readonly want: readonly JsonPatchStep[]
}

const foreign = { key: 'dedicated', value: 'db', effect: 'NoSchedule' }
const timed = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:00:00Z',
  later: { new: 1 },
}
const otherEffect = { ...ownTaint, effect: 'NoExecute' }
const otherValue = { ...ownTaint, value: 'other' }
const noEffect = { key: 'node-ready/unverified', value: 'true' }
const label: JsonPatchStep = { op: 'add', path: '/metadata/labels/node-ready~1verified', value: 'true' }
const test = (...taints: readonly unknown[]): JsonPatchStep => ({ op: 'test', path: '/spec/taints', value: taints })
const noTaints: JsonPatchStep = { op: 'test', path: '/spec/taints', value: null }
const remove = (path: string): JsonPatchStep => ({ op: 'remove', path })

const cases: readonly Case[] = [
  { name: 'ours alone', labels: {}, taints: [ownTaint], want: [test(ownTaint), remove('/spec/taints'), label] },
  {
    name: 'ours first',
    labels: {},
    taints: [ownTaint, foreign],
    want: [test(ownTaint, foreign), remove('/spec/taints/0'), label],
  },
  {
    name: 'ours between others, fields that nobody knows kept in the test',
    labels: {},
    taints: [timed, ownTaint, foreign],
    want: [test(timed, ownTaint, foreign), remove('/spec/taints/1'), label],
  },
  {
    name: 'our key with two effects: only ours goes',
    labels: {},
    taints: [otherEffect, ownTaint],
    want: [test(otherEffect, ownTaint), remove('/spec/taints/1'), label],
  },
  {
    name: 'our key and effect with another value is ours',
    labels: {},
    taints: [otherValue],
    want: [test(otherValue), remove('/spec/taints'), label],
  },
  {
    name: 'ours twice, removed from the back',
    labels: {},
    taints: [ownTaint, foreign, otherValue],
    want: [test(ownTaint, foreign, otherValue), remove('/spec/taints/2'), remove('/spec/taints/0'), label],
  },
  {
    name: 'only others: no taint is named at all',
    labels: {},
    taints: [foreign, otherEffect, noEffect],
    want: [label],
  },
  { name: 'no list', labels: {}, want: [label] },
  { name: 'a null list', labels: {}, taints: null, want: [label] },
  { name: 'an empty list', labels: {}, taints: [], want: [label] },
  { name: 'labelled already', labels: ownLabel, taints: [ownTaint], want: [test(ownTaint), remove('/spec/taints')] },
  { name: 'a label with another value is put right', labels: { 'node-ready/verified': 'no' }, want: [label] },
  {
    name: 'no labels at all: the map is made only while there is none',
    want: [
      { op: 'test', path: '/metadata/labels', value: null },
      { op: 'add', path: '/metadata/labels', value: ownLabel },
    ],
  },
  { name: 'nothing to do', labels: ownLabel, taints: [foreign], want: [] },
]

for (const row of cases) {
  t.test(row.name, async t => {
    t.same(liftSteps(nodeOf(row), settings), row.want)
  })
}

const add = (value: unknown, path = '/spec/taints/-'): JsonPatchStep => ({ op: 'add', path, value })
const unlabel: readonly JsonPatchStep[] = [
  { op: 'test', path: '/metadata/labels/node-ready~1verified', value: 'true' },
  { op: 'remove', path: '/metadata/labels/node-ready~1verified' },
]

const closeCases: readonly Case[] = [
  { name: 'no list', labels: ownLabel, want: [noTaints, add([ownTaint], '/spec/taints'), ...unlabel] },
  {
    name: 'a null list',
    labels: ownLabel,
    taints: null,
    want: [noTaints, add([ownTaint], '/spec/taints'), ...unlabel],
  },
  { name: 'an empty list', labels: ownLabel, taints: [], want: [test(), add(ownTaint), ...unlabel] },
  {
    name: 'others: tested as read, ours goes behind them',
    labels: ownLabel,
    taints: [timed, foreign],
    want: [test(timed, foreign), add(ownTaint), ...unlabel],
  },
  {
    name: "our key with another effect is somebody else's",
    labels: ownLabel,
    taints: [otherEffect],
    want: [test(otherEffect), add(ownTaint), ...unlabel],
  },
  { name: 'no label', labels: {}, taints: [foreign], want: [test(foreign), add(ownTaint)] },
  { name: 'no labels at all', taints: [foreign], want: [test(foreign), add(ownTaint)] },
  {
    name: 'a label with another value is not ours to take',
    labels: { 'node-ready/verified': 'no' },
    taints: [foreign],
    want: [test(foreign), add(ownTaint)],
  },
]

for (const row of closeCases) {
  t.test(`taint again: ${row.name}`, async t => {
    t.same(closeSteps(nodeOf(row), settings), row.want)
  })
}

t.test('NoExecute only where it was asked for', async t => {
  for (const effect of ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const) {
    const steps = closeSteps(nodeOf({ taints: [foreign] }), { ...settings, taint: { ...settings.taint, effect } })
    t.same(
      steps.filter(step => step.op === 'add').map(step => step.value),
      [{ ...ownTaint, effect }],
    )
  }
})
