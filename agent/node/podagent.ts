import { createEventRecorder } from '../kube/events.ts'
import type { Change } from '../kube/informer.ts'
import type { NodePod } from '../kube/pod.ts'
import { createAttachmentBoard } from '../podagent/board.ts'
import { Lanes } from '../podagent/lanes.ts'
import { createPodagentMetrics } from '../podagent/metrics.ts'
import { PodWork } from '../podagent/pod-work.ts'
import { PodRecords } from '../podagent/records.ts'
import { createStatusTeller } from '../podagent/status-teller.ts'
import type { Running } from '../runtime/duty.ts'
import { type Queue, startQueue } from '../runtime/queue.ts'
import { cniOf } from './cni.ts'
import { installs, type NodeContext } from './context.ts'

/** So many pods are worked on at once: each costs the memory of one kactus, and a CPU that pods want which start. */
const width = 2
/** More than that at work are plugins that hang. */
const mostAtWork = 24
const patienceMs = 3_000
const backoff = { leastMs: 1_000, mostMs: 60_000 }

/** Attaches and detaches networks of pods that run, as their annotations say. */
export function serveRunningPods(node: NodeContext): Running | undefined {
  const { settings, objects, log, loop, installed } = node
  if (objects === undefined || !settings.podagent.enabled) return undefined
  const work = createWork(node, objects.nodePod)
  const lanes = new Lanes(width, patienceMs, loop.clock)
  const failing = new Set<string>()
  const queue = startQueue({
    ...loop,
    backoff,
    width: mostAtWork,
    work: (key, signal) => lanes.run(() => work.run(key, signal)),
    fields: pod => ({ duty: 'podagent', pod }),
    onTurn(pod, works) {
      if (works) failing.delete(pod)
      else failing.add(pod)
      node.loop.onTurn?.('podagent', failing.size === 0)
    },
  })
  const begin = () => {
    objects.onPodChanges(changes => addChanged(queue, changes))
    // A network that was missing or broken may be well now.
    objects.onNetworks(() => {
      for (const key of failing) queue.add(key)
    })
  }
  // Before kactus is in place nobody can be called.
  if (!installs(settings)) begin()
  else onceInstalled(installed, begin)
  log.debug({}, 'networks of running pods are looked after')
  return queue
}

function onceInstalled(installed: NodeContext['installed'], begin: () => void): void {
  let hasBegun = false
  const look = (state = installed.current()) => {
    if (hasBegun || state?.installed !== true) return
    hasBegun = true
    begin()
  }
  installed.onChange(look)
  look()
}

function createWork(node: NodeContext, pod: (key: string) => NodePod | undefined): PodWork {
  const { settings, kube, metrics, log, loop } = node
  const { clock } = loop
  const { conf, runtime, runner, here } = cniOf(node)
  const series = createPodagentMetrics(metrics)
  const board = createAttachmentBoard(series.setAttachments)
  node.status.add(board.section)
  return new PodWork({
    pod,
    conf,
    sources: { records: new PodRecords(), runtime, here },
    runner,
    events: createEventRecorder({ api: kube, clock, log, instance: settings.nodeName, onEvent: node.onEvent }),
    status: createStatusTeller(kube),
    metrics: series,
    board,
    clock,
    log,
  })
}

/** The status annotation counts, too: what is found in it may be older than what was written last, or somebody else's. */
function addChanged(queue: Queue, changes: readonly Change<NodePod>[]): void {
  for (const { key, before, after } of changes) if (JSON.stringify(before) !== JSON.stringify(after)) queue.add(key)
}
