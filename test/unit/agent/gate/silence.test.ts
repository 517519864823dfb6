import t from 'tap'
import { createVerdictBoard } from '../../../../agent/gate/board.ts'
import { createGateDuty } from '../../../../agent/gate/duty.ts'
import { KubeError } from '../../../../agent/kube/api.ts'
import { createEventRecorder } from '../../../../agent/kube/events.ts'
import { createNodeWriter } from '../../../../agent/kube/node-writer.ts'
import { followOwnNode } from '../../../../agent/kube/own-node.ts'
import { pause } from '../../../../agent/runtime/clock.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createVerifyDuty } from '../../../../agent/verify/duty.ts'
import { settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { FakeCluster } from './fake-cluster.ts'
import { ownTaint, settings, verdictOf } from './samples.ts'

/** How late a node may be that nothing is told of. */
const promiseMs = 150_000
/** Time of a run of all checks, and then some. */
const runMs = 2_000

type Silence = (clock: FakeCluster['clock'], signal: AbortSignal) => Promise<AsyncIterable<string>>

const silences: Readonly<Record<string, Silence>> = {
  'streams open and say nothing': async (_, signal) => nothing(signal),
  'streams do not even open': async (clock, signal) => {
    await pause(clock, 10_000, signal)
    throw new KubeError('TimedOut', 'no answer within 10000 ms')
  },
}

async function* nothing(signal: AbortSignal): AsyncGenerator<string> {
  yield ''
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

for (const [name, silence] of Object.entries(silences)) {
  for (const chance of [0, 0.999]) {
    t.test(`a taint put back is lifted in time where ${name} for good, chance ${chance}`, async t => {
      const { cluster, stop } = startAgent(silence, chance)
      await pass(cluster, runMs)
      const late: number[] = []
      for (let turn = 0; turn < 40; turn++) {
        // At another moment each time: the heartbeat, a write that brings the Node back with it, must not be what saves it.
        await pass(cluster, 15_000 + ((turn * 77_000) % 300_000))
        await putTaintBack(cluster, turn % 2 === 0)
        const sinceMs = cluster.clock.monotonic()
        while (cluster.tainted.length > 0 && cluster.clock.monotonic() < sinceMs + 10 * promiseMs)
          await pass(cluster, 500)
        late.push(cluster.clock.monotonic() - sinceMs)
      }
      t.ok(Math.min(...late) > 0 && Math.max(...late) <= promiseMs, `lifted after ${Math.max(...late)} ms at most`)
      await stop()
    })
  }
}

/** The parts of an agent between its watch and its gate; every verification passes. */
function startAgent(silence: Silence, chance: number) {
  const cluster = new FakeCluster(1)
  const { clock } = cluster
  const log = createRecordingLogger()
  const loop = { clock, log, random: () => chance }
  const api = { ...cluster.api, stream: ({ signal }: { signal: AbortSignal }) => silence(clock, signal) }
  const board = createVerdictBoard(settings, clock)
  let wakeVerify = () => {}
  let wakeGate = () => {}
  const ownNode = followOwnNode({
    ...loop,
    api,
    name: 'n0',
    onChange(node) {
      if (board.observe(node) !== undefined) wakeVerify()
      wakeGate()
    },
  })
  const gate = createGateDuty({
    settings,
    sight: ownNode,
    verdict: board.current,
    writer: createNodeWriter(api, 'n0'),
    events: createEventRecorder({ api, clock, log, instance: 'n0' }),
    clock,
    log,
    onWrite: () => undefined,
  })
  const verify = createVerifyDuty({
    settings: { intervalMs: 30_000, maxRetries: 5, retryBackoff: 'exponential' },
    async run() {
      const ticket = board.begin()
      await settle()
      return board.finish(ticket, verdictOf()) ? verdictOf() : undefined
    },
    onVerdict: () => gateLoop.wake(),
  })
  const gateLoop = startLoop(gate, loop)
  const verifyLoop = startLoop(verify, loop)
  wakeVerify = () => verifyLoop.wake()
  wakeGate = () => gateLoop.wake()
  return { cluster, stop: () => Promise.all([verifyLoop.stop(), gateLoop.stop(), ownNode.stop()]) }
}

/** As somebody else does it. */
async function putTaintBack({ api, nodes }: FakeCluster, keepsLabel: boolean): Promise<void> {
  const labels = keepsLabel ? nodes[0]?.metadata.labels : {}
  const body = [
    { op: 'replace', path: '/metadata/labels', value: labels },
    { op: 'add', path: '/spec/taints', value: [ownTaint] },
  ]
  await api.request({ method: 'PATCH', path: '/api/v1/nodes/n0', body })
}

/** Time passes, and all that can be done is done. */
async function pass({ clock }: FakeCluster, ms: number): Promise<void> {
  await clock.advance(ms)
  for (let turn = 0; turn < 10; turn++) await settle()
}
