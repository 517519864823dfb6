import type { Metrics } from '../runtime/metrics.ts'
import { type CheckCode, type CheckResult, checkCodes, type Verdict } from '../verdict/verdict.ts'

/** What verification counts. */
export interface VerdictMetrics {
  recordVerdict(verdict: Verdict, timeMs: number): void
  /** A verification starts because the one before it failed. */
  recordRetry(): void
}

const checkBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Our own series, and kube-node-ready's, so that dashboards and alerts made for it go on working. */
export function createVerdictMetrics(metrics: Metrics, node: string): VerdictMetrics {
  const recordChecks = createCheckSeries(metrics)
  const series = { ...registerSeries(metrics), ...registerNodeCheckSeries(metrics) }
  series.checkStatus.set({ node }, 0)
  series.nodeStatus.set({ node }, 0)
  series.retries.inc({ node }, 0)
  for (const status of ['success', 'failed'] as const) series.verifications.inc({ status }, 0)
  // There from the start, so that the first failure is seen as a rise.
  for (const check of checkCodes) series.checkFailures.inc({ node, check }, 0)
  return {
    recordVerdict(verdict, timeMs) {
      recordChecks(verdict)
      recordOutcome(series, verdict, timeMs)
      recordDns(series, verdict)
      recordTcp(series, verdict)
      recordKubernetes(series, verdict)
    },
    recordRetry() {
      series.retriesOfAll.inc()
      series.retries.inc({ node })
    },
  }
}

/** The series that begin with `nopal_`. */
function createCheckSeries(metrics: Metrics): (verdict: Verdict) => void {
  const result = metrics.gauge(
    'nopal_check_result',
    'Last result of a check: 1 pass, 0 fail. A skipped check has no series.',
    ['code', 'from'],
  )
  const duration = metrics.histogram(
    'nopal_check_duration_seconds',
    'Time of one question of a check.',
    ['code', 'from'],
    checkBuckets,
  )
  return ({ checks }) => {
    result.reset()
    const fails = (code: CheckCode, from: string) =>
      checks.some(each => each.code === code && each.from === from && hasFailed(each))
    for (const { code, from, seconds } of checks.filter(each => each.result !== 'skip')) {
      duration.observe({ code, from }, seconds)
      result.set({ code, from }, fails(code, from) ? 0 : 1)
    }
  }
}

type Series = ReturnType<typeof registerSeries> & ReturnType<typeof registerNodeCheckSeries>

function registerSeries(metrics: Metrics) {
  const { counter, gauge, histogram } = metrics
  const ready = 'kube_node_ready_'
  return {
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
    seconds: gauge(`${ready}verification_duration_seconds`, 'Time of the last verification.', ['node']),
    verified: gauge(`${ready}verification_status`, '1 for the status the node has.', ['node', 'status']),
    nodeStatus: gauge(`${ready}node_status`, '1 if the node is verified, else 0.', ['node']),
  }
}

/** The series of kube-node-ready's DaemonSet mode. */
function registerNodeCheckSeries({ counter, gauge }: Metrics) {
  return {
    checkStatus: gauge('node_check_status', '1 if the last verification passed, else 0.', ['node']),
    checkDns: gauge('node_check_dns_duration_seconds', 'Time of the last DNS check.', ['node']),
    checkApi: gauge('node_check_api_duration_seconds', 'Time of the last API check.', ['node']),
    checkEnd: gauge('node_check_completion_timestamp', 'When the last verification ended, in Unix seconds.', ['node']),
    checkFailures: counter('node_check_failures_total', 'Failed checks.', ['node', 'check']),
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
