import { setTimeout as sleep } from 'node:timers/promises'
import { type DeadNetwork, deadNetworks, fresh, keepWhole, onNode } from '../../lab/dead-networks.ts'
import { isOpen, shutNode, untilOpen, untilSaid, watchNodes } from '../../lab/gate-bed.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import { until } from '../../machine/wait.ts'

/**
 * Prints how soon a node opens after its CNI chain attaches again, at the default settings, on a real API server: node
 * test/bench/gate/attaches-again.ts [ROUNDS] (root). The budget is 2 s.
 */

const rounds = Number(process.argv[2] ?? 5)
const settings = '[verify]\ndns-domains = kubernetes.default.svc.cluster.local\n'
/** The network is mended at any moment between two tries. */
const betweenTriesMs = 1_000

const lab = await startLab({ nodes: 1 })
try {
  await keepWhole(lab.node(1))
  const all: number[] = []
  for (const network of deadNetworks) {
    const times: number[] = []
    for (let round = 1; round <= rounds; round += 1) times.push(await timeMend(lab, network))
    print(`chain attaches again (${network.name})`, times)
    all.push(...times)
  }
  print('chain attaches again', all)
} finally {
  await lab.stop()
}

async function timeMend(lab: Lab, network: DeadNetwork): Promise<number> {
  const node = lab.node(1)
  await onNode(node, [...fresh, ...network.make])
  await shutNode(lab, node.name)
  const agent = await lab.startAgent(node, { settings })
  await untilSaid(lab, node.name, network.reason)
  await sleep(1_500 + Math.random() * betweenTriesMs)
  const history = await watchNodes(lab)
  const beganMs = performance.now()
  await onNode(node, network.mend)
  await until('the lift', () => history.seen.some(isOpen), { limitMs: 60_000, everyMs: 5 })
  const ms = performance.now() - beganMs
  history.close()
  // Or the next round would take the condition of this one for its own.
  await untilOpen(lab, node.name)
  await agent.stop()
  return ms
}

function print(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((one, other) => one - other)
  const [median = 0, worst = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  process.stdout.write(
    `${what}: ${times.length} times, median ${Math.round(median)} ms, worst ${Math.round(worst)} ms\n`,
  )
}
