import type { KubeError } from '../kube/api.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { NodeState } from './node-plan.ts'
import type { RemedyPlan } from './plan.ts'
import type { RemedyObserver } from './ports.ts'
import type { Worker, WorkerState } from './worker.ts'

/** Metrics of remedy, and what they lose when this process leads no more. */
export interface RemedyMetrics extends RemedyObserver {
  clear(): void
}

const states: readonly NodeState[] = ['unverified', 'verifying', 'verified', 'failed']
const workerStates: readonly WorkerState[] = ['waiting', 'running', 'verified', 'failed', 'lost']

/** kube-node-ready's series for all nodes, by the names of its README and of its code, and our own. */
export function createRemedyMetrics(metrics: Metrics): RemedyMetrics {
  const cluster = registerCluster(metrics)
  const nodes = registerNodes(metrics)
  const own = registerOwn(metrics)
  let known: ReadonlySet<string> = new Set()
  return {
    planned({ states: now }, workers) {
      showStates(cluster, now)
      showWorkers({ ...cluster, ...own }, workers)
      for (const node of known) if (!now.has(node)) forget(nodes, node)
      known = new Set(now.keys())
    },
    started(node, error) {
      if (error === undefined) nodes.created.inc({ node })
      else nodes.creationErrors.inc({ node, error_type: (error as Partial<KubeError>).code ?? 'Unknown' })
    },
    ended: worker => countEnd({ ...cluster, ...nodes }, worker),
    lifted(node, ok, seconds) {
      const status = ok ? 'success' : 'failure'
      // One patch takes the taint off and sets the label.
      nodes.taintRemovals.inc({ node, status })
      nodes.labelAdds.inc({ node, status })
      nodes.updateSeconds.observe({ node, operation: 'taint_removal' }, seconds)
    },
    deleted(node, kind, ok) {
      nodes.deletions.inc({ node, status: ok ? 'success' : 'failure' })
      own.deletions.inc({ kind, outcome: ok ? 'done' : 'failed' })
    },
    clear() {
      for (const gauge of [cluster.status, cluster.nodeStatus, cluster.retryCount, cluster.active]) gauge.reset()
      for (const gauge of [...cluster.counts.values(), cluster.workerPods, own.workers]) gauge.reset()
    },
  }
}

type Cluster = ReturnType<typeof registerCluster>
type Nodes = ReturnType<typeof registerNodes>

function showStates(cluster: Cluster, now: RemedyPlan['states']): void {
  cluster.status.reset()
  cluster.nodeStatus.reset()
  for (const [node, status] of now) {
    cluster.status.set({ node, status }, 1)
    cluster.nodeStatus.set({ node }, status === 'verified' ? 1 : 0)
  }
  for (const [state, gauge] of cluster.counts) gauge.set([...now.values()].filter(each => each === state).length)
}

/** Series of nodes that are gone go with what is shown anew. */
function showWorkers(series: Cluster & ReturnType<typeof registerOwn>, workers: readonly Worker[]): void {
  series.active.reset()
  series.retryCount.reset()
  for (const { nodeName: node, endedMs, failures } of workers) {
    if (endedMs === undefined) series.active.set({ node }, 1)
    series.retryCount.set({ node }, failures)
  }
  for (const state of workerStates) {
    const count = workers.filter(worker => worker.state === state).length
    series.workerPods.set({ status: podStatus[state] }, count)
    series.workers.set({ state }, count)
  }
}

/** As kube-node-ready calls them. */
const podStatus: Readonly<Record<WorkerState, string>> = {
  waiting: 'pending',
  running: 'running',
  verified: 'succeeded',
  failed: 'failed',
  lost: 'lost',
}

function countEnd(series: Cluster & Nodes, worker: Worker): void {
  const { nodeName: node, state, attempt, createdMs, endedMs = createdMs } = worker
  const seconds = (endedMs - createdMs) / 1000
  series.seconds.set({ node }, seconds)
  const result = state === 'verified' ? 'success' : 'failure'
  series.workerSeconds.observe({ node, result }, seconds)
  if (attempt > 1) series.retries.inc({ node })
  if (state === 'verified') series.succeeded.inc({ node })
  else series.failed.inc({ node, reason: state === 'failed' ? 'check_failed' : 'lost' })
  // What is no verdict is none here either.
  if (state === 'lost') return
  series.attempts.inc({ node, status: result })
  series.verifications.inc({ status: state === 'verified' ? 'success' : 'failed' })
}

/** What is shown anew with each plan, or has no node. */
function registerCluster({ gauge, counter }: Metrics) {
  const ready = 'kube_node_ready_'
  const controller = `${ready}controller_`
  return {
    status: gauge(`${ready}verification_status`, '1 for the status the node has.', ['node', 'status']),
    nodeStatus: gauge(`${ready}node_status`, '1 if the node is verified, else 0.', ['node']),
    verifications: counter(`${ready}verifications_total`, 'Worker pods by what they found.', ['status']),
    workerPods: gauge(`${ready}worker_pods`, 'Worker pods that are there.', ['status']),
    counts: new Map(states.map(state => [state, gauge(`${controller}nodes_${state}`, `Nodes that are ${state}.`)])),
    retryCount: gauge(`${controller}node_retry_count`, 'Worker pods of the node that have failed.', ['node']),
    active: gauge(`${controller}worker_pods_active`, 'Worker pods of the node that run.', ['node']),
  }
}

/** What counts up for a node: it stays until the node is gone. */
function registerNodes({ counter, gauge, histogram }: Metrics) {
  const ready = 'kube_node_ready_'
  const worker = `${ready}controller_worker_pod`
  const durations = [10, 30, 60, 120, 300, 600]
  return {
    seconds: gauge(`${ready}verification_duration_seconds`, 'Time of the last worker pod.', ['node']),
    retries: counter(`${ready}retry_attempts_total`, 'Worker pods after the first.', ['node']),
    attempts: counter(`${ready}verification_attempts_total`, 'Verifications of the node.', ['node', 'status']),
    created: counter(`${worker}s_created_total`, 'Worker pods made.', ['node']),
    failed: counter(`${worker}s_failed_total`, 'Worker pods that did not verify their node.', ['node', 'reason']),
    succeeded: counter(`${worker}s_succeeded_total`, 'Worker pods that verified their node.', ['node']),
    creationErrors: counter(`${worker}_creation_errors_total`, 'Worker pods that were refused.', [
      'node',
      'error_type',
    ]),
    workerSeconds: histogram(`${worker}_duration_seconds`, 'Time of a worker pod.', ['node', 'result'], durations),
    taintRemovals: counter(`${ready}node_taint_removal_total`, 'Removals of the taint.', ['node', 'status']),
    labelAdds: counter(`${ready}node_label_add_total`, 'Settings of the label.', ['node', 'status']),
    updateSeconds: histogram(`${ready}node_update_duration_seconds`, 'Time of a write to the Node.', [
      'node',
      'operation',
    ]),
    deletions: counter(`${ready}node_deletion_total`, 'Deletions of failed nodes.', ['node', 'status']),
  }
}

function registerOwn({ counter, gauge }: Metrics) {
  return {
    workers: gauge('nopal_remedy_workers', 'Worker pods that are there.', ['state']),
    deletions: counter('nopal_remedy_deletions_total', 'Failed nodes deleted, by what stood for them.', [
      'kind',
      'outcome',
    ]),
  }
}

/** Names of nodes come and go; their series do, too. */
function forget(nodes: Nodes, node: string): void {
  for (const series of Object.values(nodes)) dropNode(series, node)
}

interface NodeSeries {
  get(): Promise<{ readonly values: readonly { readonly labels: object }[] }>
  remove(labels: Record<string, string | number>): void
}

function dropNode(series: NodeSeries, node: string): void {
  void series.get().then(({ values }) => {
    for (const { labels } of values) {
      const { le: _, ...own } = labels as Record<string, string | number>
      if (own.node === node) series.remove(own)
    }
  })
}
