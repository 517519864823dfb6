import t from 'tap'
import { parseNode } from '../../../../agent/kube/node.ts'
import { seeNode } from '../../../../agent/remedy/sight.ts'
import { minute, nowMs } from './samples.ts'

const type = 'nopal.io/NetworkReady'
const gate = { isTainted: () => true, conditionType: type, workerWanted: 'WorkerWanted' }
const ago = (ms: number) => new Date(nowMs - ms).toISOString()

interface Case {
  readonly name: string
  readonly condition?: readonly [status: string, reason: string, heardAgoMs: number, sinceAgoMs?: number]
  readonly createdAgoMs?: number
  readonly want: string
  readonly silentMs: number
}

const hour = 60 * minute
const cases: readonly Case[] = [
  { name: 'no condition', want: 'none', silentMs: hour },
  { name: 'made a minute ago', createdAgoMs: minute, want: 'none', silentMs: minute },
  { name: 'made in the future', createdAgoMs: -hour, want: 'none', silentMs: 0 },
  { name: 'True', condition: ['True', 'Verified', minute], want: 'passed', silentMs: minute },
  {
    name: 'True, its heartbeat is late but not by much',
    condition: ['True', 'Verified', 9 * minute],
    want: 'passed',
    silentMs: 9 * minute,
  },
  { name: 'True, long ago', condition: ['True', 'Verified', 11 * minute], want: 'none', silentMs: 11 * minute },
  { name: 'True, in the far future', condition: ['True', 'Verified', -hour], want: 'none', silentMs: 0 },
  { name: 'False', condition: ['False', 'NXDomain', minute], want: 'failed', silentMs: minute },
  { name: 'False, long ago', condition: ['False', 'NXDomain', 20 * minute], want: 'none', silentMs: 20 * minute },
  { name: 'Unknown: the agent has begun', condition: ['Unknown', 'Verifying', minute], want: 'none', silentMs: minute },
  {
    name: 'Unknown, written again and again',
    condition: ['Unknown', 'Verifying', minute, 30 * minute],
    want: 'none',
    silentMs: 30 * minute,
  },
  { name: 'it asks for a worker', condition: ['Unknown', 'WorkerWanted', minute], want: 'wanted', silentMs: minute },
  {
    name: 'it asked for a worker long ago',
    condition: ['Unknown', 'WorkerWanted', 11 * minute],
    want: 'none',
    silentMs: 11 * minute,
  },
  {
    name: 'a condition from before the node',
    createdAgoMs: minute,
    condition: ['True', 'Verified', 20 * minute],
    want: 'none',
    silentMs: minute,
  },
]

for (const { name, condition, createdAgoMs = hour, want, silentMs } of cases) {
  t.test(name, async t => {
    const [status, reason, heard = 0, since = heard] = condition ?? []
    const times = { lastHeartbeatTime: ago(heard), lastTransitionTime: ago(since) }
    const node = parseNode({
      metadata: { name: 'n1', uid: 'u1', creationTimestamp: ago(createdAgoMs) },
      status: { conditions: condition === undefined ? [] : [{ type, status, reason, ...times }] },
    })
    if (node === undefined) throw new Error('the sample is no node')
    const sight = seeNode(node, gate, { deadlineMs: 5 * minute, nowMs })
    t.strictSame([sight.agent, nowMs - sight.silentSinceMs], [want, silentMs])
  })
}
