import { netmakerAccess } from '../config/netmaker-access.ts'
import { createEventRecorder } from '../kube/events.ts'
import { type Informer, startInformer } from '../kube/informer.ts'
import type { Term } from '../kube/term.ts'
import { createEgressBoard } from '../netmaker/board.ts'
import { createDeleteBudget } from '../netmaker/budget.ts'
import { isEgressChange, parseClusterNode, readClusterNode } from '../netmaker/cluster-nodes.ts'
import { describeOutlook } from '../netmaker/document.ts'
import { createEgressDuty, type EgressDutyOptions } from '../netmaker/duty.ts'
import { createMeshLists } from '../netmaker/lists.ts'
import { createEgressMetrics } from '../netmaker/metrics.ts'
import { openNetmaker } from '../netmaker/open.ts'
import { createDeleteTeller } from '../netmaker/tell.ts'
import type { ClusterNode } from '../netmaker/world.ts'
import { startLoop } from '../runtime/loop.ts'
import type { LeaderDuty, LeaderParts } from './context.ts'

/** A server that refuses a login would refuse the next one as well. */
const backoff = { leastMs: 2_000, mostMs: 60_000 }

/** Keeps the pod CIDRs of all Nodes in Netmaker. Who stands by does not even log in there. */
export function keepEgress(leader: LeaderParts): LeaderDuty | undefined {
  const { settings, status, metrics, kube, loop, log, succeeded } = leader
  const access = netmakerAccess(settings.netmaker)
  if (access === undefined) return undefined
  const series = createEgressMetrics(metrics)
  const board = createEgressBoard()
  status.add(board.section)
  return term => {
    const client = openNetmaker({
      access,
      settings: settings.netmaker,
      userAgent: 'nopal-leader',
      onAnswer: series.countRequest,
    })
    const nodes = startInformer({ ...loop, api: kube, path: '/api/v1/nodes', query: {}, parse: parseClusterNode })
    const duty = createEgressDuty({
      ...dutyParts(leader, term, nodes),
      parts: { ...passParts(leader, nodes), client, lists: createMeshLists(client, loop.clock) },
      onWrite: series.countWrite,
      onOutlook(outlook) {
        series.show(outlook)
        board.show(describeOutlook(settings.netmaker.cluster, outlook), loop.clock.now())
        succeeded('egress')
      },
      onFailure: board.fail,
      log,
    })
    const running = startLoop(duty, { ...loop, backoff })
    nodes.subscribe(changes => {
      // None at all: all of them have been told anew.
      if (changes.length === 0 || changes.some(isEgressChange)) running.wake()
    })
    return {
      async stop() {
        await running.stop()
        await nodes.stop()
        client.close()
        board.clear()
      },
    }
  }
}

function passParts({ settings, kube, loop }: LeaderParts, nodes: Informer<ClusterNode>) {
  const { cluster, maxDeletes: most, intervalMs } = settings.netmaker
  return {
    cluster,
    nodes: () => [...nodes.values()],
    readNode: (name: string, signal: AbortSignal) => readClusterNode(kube, name, signal),
    budget: createDeleteBudget({ most, intervalMs, clock: loop.clock }),
  }
}

function dutyParts({ settings, loop, log }: LeaderParts, term: Term, nodes: Informer<ClusterNode>) {
  const recorder = createEventRecorder({ api: term.api, clock: loop.clock, log, instance: settings.nodeName })
  return {
    term,
    synced: () => nodes.synced(),
    intervalMs: settings.netmaker.intervalMs,
    dryRun: settings.netmaker.dryRun,
    teller: createDeleteTeller(recorder, name => nodes.get(name)),
  } satisfies Partial<EgressDutyOptions>
}
