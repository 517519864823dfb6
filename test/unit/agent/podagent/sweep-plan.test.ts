import t from 'tap'
import { isWhole, type SeenRecord, type SweepSight, suspectsOf } from '../../../../agent/podagent/sweep-plan.ts'
import { podOf, primary, recordOf } from './samples.ts'

const hour = 60 * 60_000
const lost: SeenRecord = {
  record: recordOf([primary()], { containerId: 'c1' }),
  ageMs: hour,
  isHeld: false,
  hasNetns: true,
}
const other = { containerId: 'c2', podUid: 'u2' }
const nothing: SweepSight = { records: [lost], sandboxes: [other], pods: [], living: new Set() }
const pod = podOf([])

interface Row {
  readonly name: string
  readonly sight: Partial<SweepSight>
  readonly isSuspect: boolean
}

const rows: readonly Row[] = [
  { name: 'the runtime has no such sandbox, and there is no such pod', sight: {}, isSuspect: true },
  { name: 'the runtime has it', sight: { sandboxes: [{ containerId: 'c1', podUid: 'u1' }] }, isSuspect: false },
  { name: 'kactus works on it', sight: { records: [{ ...lost, isHeld: true }] }, isSuspect: false },
  { name: 'processes are of it', sight: { living: new Set(['c1']) }, isSuspect: false },
  {
    name: 'made by somebody who is no runtime of a kubelet',
    sight: { records: [{ ...lost, record: { ...lost.record, pod: undefined } }] },
    isSuspect: false,
  },
  {
    name: 'its pod has another sandbox',
    sight: { pods: [pod], sandboxes: [{ ...other, podUid: 'u1' }] },
    isSuspect: true,
  },
  {
    name: 'its pod has none: it may be having one made',
    sight: { pods: [pod], records: [{ ...lost, ageMs: 60_000 }] },
    isSuspect: false,
  },
  {
    name: 'the same, for longer than a kubelet waits',
    sight: { pods: [podOf([], { phase: 'starting' })] },
    isSuspect: true,
  },
  {
    name: 'its pod runs, and there is its network namespace: the wrong runtime may have been asked',
    sight: { pods: [pod], sandboxes: [] },
    isSuspect: false,
  },
  {
    name: 'its pod runs, as the API says, and the machine has begun anew',
    sight: { pods: [pod], records: [{ ...lost, hasNetns: false }] },
    isSuspect: true,
  },
  {
    name: 'another pod of its name is having one made',
    sight: { pods: [podOf([], { facts: { uid: 'u9', annotations: {} } })], records: [{ ...lost, ageMs: 60_000 }] },
    isSuspect: true,
  },
  {
    name: 'its pod ends',
    sight: { pods: [podOf([], { phase: 'ending' })], records: [{ ...lost, ageMs: 60_000 }] },
    isSuspect: true,
  },
]

for (const { name, sight, isSuspect } of rows) {
  t.test(name, async t => {
    t.same(
      suspectsOf({ ...nothing, ...sight }).map(({ containerId }) => containerId),
      isSuspect ? ['c1'] : [],
    )
  })
}

interface WholeRow {
  readonly name: string
  readonly sight: Partial<SweepSight>
  readonly whole: boolean
}

const wholeRows: readonly WholeRow[] = [
  { name: 'no pod runs', sight: {}, whole: true },
  { name: 'a pod runs that has no sandbox', sight: { pods: [pod] }, whole: false },
  { name: 'it has one', sight: { pods: [pod], sandboxes: [{ containerId: 'c1', podUid: 'u1' }] }, whole: true },
  { name: "it is on the host's network", sight: { pods: [podOf([], { hostNetwork: true })] }, whole: true },
  { name: 'it starts yet', sight: { pods: [podOf([], { phase: 'starting' })] }, whole: true },
  { name: 'processes of a container that the runtime does not know', sight: { living: new Set(['c1']) }, whole: false },
  {
    name: 'a static pod has the UID of its file',
    sight: {
      pods: [podOf([], { facts: { uid: 'u1', annotations: { 'kubernetes.io/config.hash': 'u2' } } })],
    },
    whole: true,
  },
]

for (const { name, sight, whole } of wholeRows) {
  t.test(`the list is ${whole ? '' : 'not '}whole: ${name}`, async t => {
    t.equal(isWhole({ ...nothing, ...sight }), whole)
  })
}
