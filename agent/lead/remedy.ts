import { conditionType, workerWanted } from '../gate/condition.ts'
import { findMarks, liftSteps } from '../gate/taints.ts'
import { createEventRecorder } from '../kube/events.ts'
import { type Informer, startInformer } from '../kube/informer.ts'
import type { Term } from '../kube/term.ts'
import { createRemedyBoard } from '../remedy/board.ts'
import { createRemedyDuty } from '../remedy/duty.ts'
import { createRemedyMetrics } from '../remedy/metrics.ts'
import { readOwnImage } from '../remedy/own-image.ts'
import type { RemedyPorts } from '../remedy/ports.ts'
import { type GateView, isNews } from '../remedy/sight.ts'
import { parseWorker, type Worker, workerApp, workerLabels } from '../remedy/worker.ts'
import { workerLimitMs } from '../remedy/worker-pod.ts'
import { startLoop } from '../runtime/loop.ts'
import type { LeaderDuty, LeaderParts } from './context.ts'

/** Counts the nodes of the cluster, and verifies by worker pods those that do not speak for themselves, if it may. */
export function remedyNodes(leader: LeaderParts): LeaderDuty {
  const { settings, metrics, status, loop } = leader
  // A dry run writes nothing.
  const workers = settings.remedy.workers && !settings.gate.dryRun
  const series = createRemedyMetrics(metrics)
  const board = createRemedyBoard(workers, conditionType)
  status.add(board.section)
  const gate = gateView(settings.gate)
  return (term, { nodes }) => {
    const pods = workers ? watchWorkers(leader) : undefined
    const duty = createRemedyDuty({
      ...portsOf(leader, term),
      gate,
      settings: { ...settings.remedy, workers },
      nodes,
      workers: pods ?? none,
      observer: {
        ...series,
        planned(plan, known) {
          series.planned(plan, known)
          board.show(plan, known, nodes)
        },
      },
    })
    const running = startLoop(duty, loop)
    pods?.subscribe(() => running.wake())
    nodes.subscribe(changes => {
      // None at all: all of them have been told anew.
      if (changes.length === 0 || changes.some(({ before, after }) => isNews(before, after, gate))) running.wake()
    })
    return {
      async stop() {
        await running.stop()
        await pods?.stop()
        series.clear()
        board.clear()
      },
    }
  }
}

const none = { values: () => [], synced: () => true }

function watchWorkers({ settings, kube, loop }: LeaderParts): Informer<Worker> {
  const path = `/api/v1/namespaces/${settings.remedy.namespace}/pods`
  const query = { labelSelector: `${workerLabels.name}=${workerApp}` }
  return startInformer({ ...loop, api: kube, path, query, parse: parseWorker })
}

function portsOf(
  { settings, kube, loop, log, onEvent }: LeaderParts,
  { api }: Term,
): Omit<RemedyPorts, 'settings' | 'gate' | 'nodes' | 'workers' | 'observer'> {
  const { remedy, podNamespace, agent } = settings
  let image = remedy.image
  return {
    limitMs: workerLimitMs(settings),
    api,
    events: createEventRecorder({ api, clock: loop.clock, log, instance: settings.nodeName, onEvent }),
    async template(signal) {
      image ??= (await readOwnImage(kube, { namespace: podNamespace, name: agent.podName }, signal)).image
      return { namespace: remedy.namespace, image, settings }
    },
    clock: loop.clock,
    log,
  }
}

function gateView(gate: Parameters<typeof findMarks>[1]): GateView {
  return {
    isTainted: node => findMarks(node, gate).taintAt.length > 0,
    liftSteps: node => liftSteps(node, gate),
    conditionType,
    workerWanted: workerWanted.reason,
  }
}
