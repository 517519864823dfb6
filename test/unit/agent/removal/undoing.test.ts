import t from 'tap'
import { type OwnPod, parseOwnPod, undoingOf } from '../../../../agent/removal/undoing.ts'
import { agent, daemonSet, leader, uninstaller } from './objects.ts'

interface Case {
  readonly name: string
  readonly daemonSet: unknown
  readonly pods: readonly unknown[]
  readonly done: readonly string[]
  readonly left: readonly { readonly node: string; readonly why: string | RegExp }[]
  readonly complete: boolean
}

const cases: readonly Case[] = [
  {
    name: 'every node is done',
    daemonSet: daemonSet(2),
    pods: [uninstaller('n1', 'ready'), uninstaller('n2', 'ready')],
    ...{ done: ['n1', 'n2'], left: [], complete: true },
  },
  { name: 'a cluster without nodes', daemonSet: daemonSet(0), pods: [], done: [], left: [], complete: true },
  {
    name: 'the controller has not looked yet: no pod is wanted, and none is there',
    daemonSet: { metadata: { generation: 1 }, status: {} },
    pods: [],
    ...{ done: [], left: [], complete: false },
  },
  {
    name: 'a pod is still to be made',
    daemonSet: daemonSet(2),
    pods: [uninstaller('n1', 'ready')],
    ...{ done: ['n1'], left: [], complete: false },
  },
  {
    name: 'a leader runs, who would write its condition again',
    daemonSet: daemonSet(1),
    pods: [uninstaller('n1', 'ready'), leader],
    ...{ done: ['n1'], left: [], complete: false },
  },
  {
    name: 'a node that is silent',
    daemonSet: daemonSet(2),
    pods: [uninstaller('n1', 'ready'), uninstaller('n2', 'running')],
    ...{ done: ['n1'], left: [{ node: 'n2', why: 'the pod that takes nopal off it is not done' }], complete: false },
  },
  {
    name: 'a node whose agent does not end, and holds its port',
    daemonSet: daemonSet(1),
    pods: [uninstaller('n1', 'pending'), agent('n1')],
    ...{ done: [], left: [{ node: 'n1', why: 'its kubelet does not say that the agent has ended' }], complete: false },
  },
  {
    name: 'a node for which the scheduler has no room',
    daemonSet: daemonSet(1),
    pods: [uninstaller('n1', 'pending')],
    ...{ done: [], left: [{ node: 'n1', why: 'no pod can be started there: no room on purpose' }], complete: false },
  },
  {
    name: 'a node without the image',
    daemonSet: daemonSet(1),
    pods: [uninstaller('n1', 'waiting')],
    ...{
      done: [],
      left: [{ node: 'n1', why: 'its pod does not start: ErrImagePull: no such image' }],
      complete: false,
    },
  },
  { name: 'no DaemonSet', daemonSet: 7, pods: [], done: [], left: [], complete: false },
]

for (const row of cases) {
  t.test(row.name, async t => {
    const pods = row.pods.map(parseOwnPod).filter((pod): pod is OwnPod => pod !== undefined)
    t.equal(pods.length, row.pods.length)
    const { done, left, complete } = undoingOf(row.daemonSet, pods)
    t.same(done, row.done)
    t.match(left, row.left)
    t.equal(left.length, row.left.length)
    t.equal(complete, row.complete)
  })
}

t.test('what is no pod is none', async t => {
  for (const junk of [null, 7, {}, { metadata: {} }, { metadata: { labels: 1 }, spec: {} }]) {
    t.equal(parseOwnPod(junk), undefined, JSON.stringify(junk))
  }
})
