import { netmakerAccess } from '../config/netmaker-access.ts'
import { derive, type Watched } from '../kube/derive.ts'
import { createEventRecorder } from '../kube/events.ts'
import { startInformer } from '../kube/informer.ts'
import { nodeNetworksPath, parseNodeNetwork } from '../kube/node-network.ts'
import type { Term } from '../kube/term.ts'
import { createEgressBoard } from '../netmaker/board.ts'
import { createDeleteBudget } from '../netmaker/budget.ts'
import { isEgressChange, readClusterNode, trimNode } from '../netmaker/cluster-nodes.ts'
import { createDeleteEvents } from '../netmaker/delete-events.ts'
import { describeOutlook } from '../netmaker/document.ts'
import { createEgressDuty } from '../netmaker/duty.ts'
import { createEffectDuty, type EffectDutyOptions } from '../netmaker/effect-duty.ts'
import { createMeshLists } from '../netmaker/lists.ts'
import { createEgressMetrics } from '../netmaker/metrics.ts'
import { openNetmaker } from '../netmaker/open.ts'
import type { Outlook } from '../netmaker/pass.ts'
import type { ClusterNode } from '../netmaker/world.ts'
import { type Loop, startLoop } from '../runtime/loop.ts'
import type { LeaderDuty, LeaderParts } from './context.ts'

/** A server that refuses a login would refuse the next one as well. */
const backoff = { leastMs: 2_000, mostMs: 60_000 }

/** Keeps the pod CIDRs of all Nodes in Netmaker. Who stands by does not even log in there. */
export function keepEgress(leader: LeaderParts): LeaderDuty | undefined {
  const { settings, status, metrics, loop, log, succeeded, onEvent } = leader
  const access = netmakerAccess(settings.netmaker)
  if (access === undefined) return undefined
  const series = createEgressMetrics(metrics)
  const board = createEgressBoard()
  status.add(board.section)
  return (term, watches) => {
    const client = openNetmaker({
      access,
      settings: settings.netmaker,
      userAgent: 'nopal-leader',
      onAnswer: series.countRequest,
    })
    const nodes = derive(watches.nodes, trimNode)
    const recorder = createEventRecorder({ ...loop, api: term.api, instance: settings.nodeName, onEvent })
    let last: Outlook | undefined
    const onEffects: EffectDutyOptions['onEffects'] = missing => {
      for (const each of [series, board]) each.showEffects(missing)
    }
    const shared = { client, recorder, nodes: () => nodes.values(), outlook: () => last, onEffects }
    const effects = watchEffects(leader, term, shared)
    const duty = createEgressDuty({
      ...dutyParts(leader, term, nodes),
      teller: createDeleteEvents(recorder, name => nodes.get(name)),
      parts: { ...passParts(leader, nodes), client, lists: createMeshLists(client, loop.clock) },
      onWrite: series.countWrite,
      onOutlook(outlook) {
        last = outlook
        series.show(outlook)
        board.show(describeOutlook(settings.netmaker.cluster, outlook), loop.clock.now())
        succeeded('egress')
        effects.wake()
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
        await Promise.all([running.stop(), effects.stop()])
        client.close()
        board.clear()
      },
    }
  }
}

/** Compares the rules with what agents publish. */
function watchEffects(
  { kube, loop }: LeaderParts,
  { api }: Term,
  shared: Omit<EffectDutyOptions, 'api' | 'clock' | 'networks'>,
): Loop {
  const networks = startInformer({
    ...loop,
    api: kube,
    path: nodeNetworksPath,
    query: {},
    parse: parseNodeNetwork,
    optional: true,
  })
  const duty = createEffectDuty({
    ...shared,
    api,
    clock: loop.clock,
    networks: () => (networks.synced() ? networks.values() : undefined),
  })
  const running = startLoop(duty, loop)
  return {
    wake: running.wake,
    async stop() {
      await running.stop()
      await networks.stop()
    },
  }
}

function passParts({ settings, kube, loop }: LeaderParts, nodes: Watched<ClusterNode>) {
  const { cluster, maxDeletes: most, intervalMs } = settings.netmaker
  return {
    cluster,
    nodes: () => [...nodes.values()],
    readNode: (name: string, signal: AbortSignal) => readClusterNode(kube, name, signal),
    budget: createDeleteBudget({ most, intervalMs, clock: loop.clock }),
  }
}

function dutyParts({ settings }: LeaderParts, term: Term, nodes: Watched<ClusterNode>) {
  const { intervalMs, dryRun } = settings.netmaker
  return { term, synced: () => nodes.synced(), intervalMs, dryRun }
}
