import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../fakes/fault-proxy/start.ts'
import {
  addTaint,
  agentRequests,
  isOpen,
  setLabels,
  shutNode,
  startProxy,
  untilOpen,
  watchNodes,
} from '../../lab/gate-bed.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import { hasTestTaint, readNode, testTaint, verifiedLabel } from '../../lab/objects.ts'
import { startWriters } from '../../lab/taint-writers.ts'
import { until } from '../../machine/wait.ts'

/**
 * Prints how quick the gate is at its default settings, on a real API server: node test/bench/gate/main.ts (root; some
 * ten minutes). No test asserts these times.
 */

/** As shipped, apart from the names: the lab has a name server of its own. */
const settings = '[verify]\ndns-domains = kubernetes.default.svc.cluster.local\n'
const longMs = 150_000
const limitMs = 200_000

const lab = await startLab({ nodes: 1 })
try {
  const { proxy, kubeconfig } = await startProxy(lab)
  const agentOptions = { settings, kubeconfig }
  for (let turn = 1; turn <= 5; turn += 1) await timeStart(lab, turn)
  await timeWriters(lab)

  for (const fault of [{ does: 'hang' }, { does: 'refuse' }, { does: 'answer', code: 500 }] satisfies Fault[]) {
    await shutNode(lab, 'n1')
    await proxy.set(fault)
    const agent = await lab.startAgent(lab.node(1), agentOptions)
    await sleep(longMs)
    await proxy.clear()
    await say(`lifted after ${longMs / 1000} s of ${fault.does}`, () => untilOpen(lab, 'n1', limitMs))
    await agent.stop()
  }

  await shutNode(lab, 'n1')
  await lab.dns.stop()
  const agent = await lab.startAgent(lab.node(1), agentOptions)
  await sleep(longMs)
  await lab.dns.start()
  await say(`lifted after ${longMs / 1000} s without a name server`, () => untilOpen(lab, 'n1', limitMs))

  await proxy.set({ does: 'silence', watch: true })
  await proxy.clear()
  await setLabels(lab, 'n1', { [verifiedLabel]: null })
  await say('a silent watch replaced, the label set again', () => untilOpen(lab, 'n1', limitMs))
  await proxy.set({ does: 'silence', watch: true })
  await addTaint(lab, 'n1', testTaint)
  await say('all streams silent for good: a taint put back, lifted', () => untilOpen(lab, 'n1', limitMs))
  await proxy.set({ does: 'refuse' })
  await proxy.clear()
  await sleep(11_000)
  await setLabels(lab, 'n1', { [verifiedLabel]: null })
  await say('a label that goes, set again', () => untilOpen(lab, 'n1', limitMs))
  await agent.stop()
  await proxy.stop()
} finally {
  await lab.stop()
}

async function timeStart(lab: Lab, turn: number): Promise<void> {
  await shutNode(lab, 'n1')
  const history = await watchNodes(lab)
  const before = (await agentRequests(lab)).length
  const startMs = Date.now()
  const agent = await lab.startAgent(lab.node(1), { settings })
  await until('the lift', () => history.seen.some(isOpen), { everyMs: 5 })
  const liftMs = Date.now()
  await sleep(1_500)
  const requests = (await agentRequests(lab)).slice(before).filter(({ time }) => time <= liftMs + 1_500)
  print(`start ${turn}: lifted after ${liftMs - startMs} ms, ${requests.length} requests until 1.5 s later`)
  history.close()
  await agent.stop()
}

/** A minute among six writers of taints and one of the status. */
async function timeWriters(lab: Lab): Promise<void> {
  const agent = await lab.startAgent(lab.node(1), { settings })
  await untilOpen(lab, 'n1')
  const writers = startWriters(lab.api, 'n1', 6)
  const endMs = performance.now() + 60_000
  const waits: string[] = []
  while (performance.now() < endMs) {
    await addTaint(lab, 'n1', testTaint).catch(() => undefined)
    if (!hasTestTaint(await readNode(lab.api, 'n1'))) continue
    const beganMs = performance.now()
    await until('the lift', async () => !hasTestTaint(await readNode(lab.api, 'n1')), { limitMs, everyMs: 5 })
    waits.push(((performance.now() - beganMs) / 1000).toFixed(1))
  }
  const { taints, statuses } = await writers.stop()
  print(`a minute of writers: ${taints} writes of taints, ${statuses} of the status; lifts after ${waits.join(', ')} s`)
  await agent.stop()
}

async function say(what: string, wait: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now()
  await wait()
  print(`${what}: ${((performance.now() - beganMs) / 1000).toFixed(1)} s`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
