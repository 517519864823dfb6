import { createGateDuty } from '../gate/duty.ts'
import { createGateMetrics } from '../gate/metrics.ts'
import { createGateStatus } from '../gate/status.ts'
import { createEventRecorder } from '../kube/events.ts'
import { createLease } from '../kube/lease.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import { listNodes } from '../kube/nodes.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { installs, type NodeContext } from './context.ts'
import { holdOf, holdOfNetwork, holdOfWorker } from './hold.ts'

/** Makes the Node show its verdict: taint, label, condition, Events. */
export function showVerdict(node: NodeContext): Running {
  const { settings, log, kube, board, ownNode, installed } = node
  const { nodeName: name, podNamespace: namespace } = settings
  const { clock } = node.loop
  const lease = createLease({ api: kube, namespace, name: 'nopal-gate', holder: name, clock, log })
  const duty = createGateDuty({
    settings: settings.gate,
    sight: ownNode,
    verdict: board.current,
    hold: () =>
      (installs(settings) ? holdOf(installed.current()) : undefined) ??
      holdOfNetwork(board.current()?.verdict) ??
      holdOfWorker(settings),
    writer: createNodeWriter(kube, name),
    closing: {
      lease,
      writer: api => createNodeWriter(api, name),
      nodes: signal => listNodes(kube, signal),
      verify: () => node.wanted.set('verification'),
    },
    events: createEventRecorder({ api: kube, clock, log, instance: name, onEvent: node.onEvent }),
    clock,
    log,
    onWrite: createGateMetrics(node.metrics, name),
  })
  node.status.add(createGateStatus(settings.gate, ownNode.current))
  const loop = startLoop(duty, node.loop)
  for (const followed of [ownNode, node.verdict, installed]) followed.onChange(() => loop.wake())
  return loop
}
