import type { CheckCode, CheckResult, Verdict } from '../verify/verdict.ts'
import type { GateWrite, Metrics, MetricsOptions } from './metrics.ts'
import { Counter, Gauge, Histogram, type Registry } from './prometheus.ts'

/** kube-node-ready's names, so that dashboards and alerts made for it go on working. */
export function createSeedMetrics(
  registry: Registry,
  options: MetricsOptions,
): Pick<Metrics, 'recordVerdict' | 'recordRetry' | 'recordDuty' | 'recordGateWrite' | 'recordWorkers'> {
  const series = registerSeries([registry])
  const { node } = options
  const failing = new Set<string>()
  series.build.set(
    { version: options.version, commit_hash: options.commit ?? '', build_date: options.buildDate ?? '' },
    1,
  )
  series.checkStatus.set({ node }, 0)
  series.nodeStatus.set({ node }, 0)
  series.retries.inc({ node }, 0)
  series.healthy.set(1)
  for (const status of ['success', 'failed']) series.verifications.inc({ status }, 0)
  for (const check of countedChecks) series.checkFailures.inc({ node, check }, 0)
  return {
    recordVerdict(verdict, timeMs) {
      recordOutcome(series, verdict, timeMs)
      recordDns(series, verdict)
      recordTcp(series, verdict)
      recordKubernetes(series, verdict)
    },
    recordRetry() {
      series.retriesOfAll.inc()
      series.retries.inc({ node })
    },
    recordDuty(name, works) {
      if (works) failing.delete(name)
      else {
        failing.add(name)
        series.reconcileErrors.inc()
      }
      series.healthy.set(failing.size === 0 ? 1 : 0)
    },
    recordGateWrite: write => recordGateWrite(series, node, write),
    recordWorkers(counts) {
      for (const [status, count] of Object.entries(counts)) series.workers.set({ status }, count)
    },
  }
}

type Series = ReturnType<typeof registerSeries>

/** There from the start, so that the first failure is seen as a rise. */
const countedChecks = ['dns', 'api', 'tcp', 'services', 'peers', 'mtu'] as const

function registerSeries(registers: Registry[]) {
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, registers })
  const ready = 'kube_node_ready_'
  return {
    build: gauge(`${ready}build_info`, 'Always 1; the labels say what runs.', ['version', 'commit_hash', 'build_date']),
    dnsTotal: counter(`${ready}dns_check_total`, 'DNS checks of a name.', ['domain', 'status']),
    dnsSeconds: histogram(`${ready}dns_check_duration_seconds`, 'Time of the DNS check of a name.', ['domain']),
    tcpTotal: counter(`${ready}network_check_total`, 'TCP checks of an address.', ['address', 'status']),
    tcpSeconds: histogram(`${ready}network_check_duration_seconds`, 'Time of the TCP check of an address.', [
      'address',
    ]),
    kubeTotal: counter(`${ready}kubernetes_check_total`, 'Checks of the Kubernetes API.', ['check_type', 'status']),
    kubeSeconds: histogram(`${ready}kubernetes_check_duration_seconds`, 'Time of the API checks.', ['check_type']),
    attempts: counter(`${ready}verification_attempts_total`, 'Verifications of the node.', ['node', 'status']),
    verifications: counter(`${ready}verifications_total`, 'Verifications by outcome.', ['status']),
    retriesOfAll: counter(`${ready}verification_retries_total`, 'Verifications begun after a failed one.'),
    retries: counter(`${ready}retry_attempts_total`, 'Verifications begun after a failed one, by node.', ['node']),
    workers: gauge(
      `${ready}worker_pods`,
      'Pods on this node that were made to verify it, by phase; none of these series while its pods are not watched.',
      ['status'],
    ),
    healthy: gauge(`${ready}controller_healthy`, '1 while no part of the agent is failing, else 0.'),
    reconcileErrors: counter(`${ready}controller_reconcile_errors_total`, 'Failed runs of the parts of the agent.'),
    seconds: gauge(`${ready}verification_duration_seconds`, 'Time of the last verification.', ['node']),
    verified: gauge(`${ready}verification_status`, '1 for the status the node has.', ['node', 'status']),
    nodeStatus: gauge(`${ready}node_status`, '1 if the node is verified, else 0.', ['node']),
    taintRemovals: counter(`${ready}node_taint_removal_total`, 'Removals of the taint.', ['node', 'status']),
    labelAdds: counter(`${ready}node_label_add_total`, 'Settings of the label.', ['node', 'status']),
    updateSeconds: histogram(`${ready}node_update_duration_seconds`, 'Time of a write to the Node.', [
      'node',
      'operation',
    ]),
    ...registerCheckSeries(registers),
  }
}

/** The series of kube-node-ready's DaemonSet mode. */
function registerCheckSeries(registers: Registry[]) {
  const labelNames = ['node']
  const gauge = (name: string, help: string) => new Gauge({ name: `node_check_${name}`, help, labelNames, registers })
  return {
    checkStatus: gauge('status', '1 if the last verification passed, else 0.'),
    checkDns: gauge('dns_duration_seconds', 'Time of the last DNS check.'),
    checkApi: gauge('api_duration_seconds', 'Time of the last API check.'),
    checkEnd: gauge('completion_timestamp', 'When the last verification ended, in Unix seconds.'),
    checkFailures: new Counter({
      name: 'node_check_failures_total',
      help: 'Failed checks.',
      labelNames: ['node', 'check'],
      registers,
    }),
  }
}

function recordOutcome(series: Series, verdict: Verdict, timeMs: number): void {
  const { node, passed } = verdict
  series.attempts.inc({ node, status: statusOf(!passed) })
  series.verifications.inc({ status: passed ? 'success' : 'failed' })
  series.seconds.set({ node }, verdict.seconds)
  series.verified.set({ node, status: 'verified' }, passed ? 1 : 0)
  series.verified.set({ node, status: 'failed' }, passed ? 0 : 1)
  series.nodeStatus.set({ node }, passed ? 1 : 0)
  series.checkStatus.set({ node }, passed ? 1 : 0)
  series.checkEnd.set({ node }, timeMs / 1000)
  for (const check of new Set(verdict.checks.filter(hasFailed).map(each => each.code))) {
    series.checkFailures.inc({ node, check })
  }
}

/** One count per name, however many name servers were asked for it. */
function recordDns(series: Series, verdict: Verdict): void {
  const results = askedBy(verdict, 'dns')
  for (const [domain, asked] of Map.groupBy(results, each => each.target.split(' ')[0] ?? each.target)) {
    series.dnsTotal.inc({ domain, status: statusOf(asked.some(hasFailed)) })
    series.dnsSeconds.observe({ domain }, slowest(asked))
  }
  if (results.length > 0) series.checkDns.set({ node: verdict.node }, slowest(results))
}

/** One count per address, from however many places it was dialled. */
function recordTcp(series: Series, verdict: Verdict): void {
  const results = Map.groupBy(askedBy(verdict, 'tcp'), each => each.target.split(' (')[0] ?? each.target)
  for (const [address, asked] of results) {
    series.tcpTotal.inc({ address, status: statusOf(asked.some(hasFailed)) })
    series.tcpSeconds.observe({ address }, slowest(asked))
  }
}

function recordKubernetes(series: Series, verdict: Verdict): void {
  const types = [
    ['api', 'api'],
    ['services', 'service_discovery'],
  ] as const
  for (const [code, check_type] of types) {
    const results = askedBy(verdict, code)
    if (results.length === 0) continue
    series.kubeTotal.inc({ check_type, status: statusOf(results.some(hasFailed)) })
    series.kubeSeconds.observe({ check_type }, slowest(results))
    if (code === 'api') series.checkApi.set({ node: verdict.node }, slowest(results))
  }
}

function recordGateWrite(series: Series, node: string, write: GateWrite): void {
  series.updateSeconds.observe(
    { node, operation: write.action === 'lift' ? 'taint_removal' : 'taint_add' },
    write.seconds,
  )
  if (write.action !== 'lift') return
  series.taintRemovals.inc({ node, status: statusOf(!write.ok) })
  series.labelAdds.inc({ node, status: statusOf(!write.ok) })
}

function askedBy(verdict: Verdict, code: CheckCode): readonly CheckResult[] {
  return verdict.checks.filter(each => each.code === code && each.result !== 'skip')
}

/** Questions of one check run side by side, so the slowest is the time of all. */
function slowest(results: readonly CheckResult[]): number {
  return Math.max(...results.map(each => each.seconds))
}

function hasFailed(check: CheckResult): boolean {
  return check.result === 'fail'
}

function statusOf(failed: boolean): 'success' | 'failure' {
  return failed ? 'failure' : 'success'
}
