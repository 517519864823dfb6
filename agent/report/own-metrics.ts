import type { CheckResult, Verdict } from '../verify/verdict.ts'
import type { GateWrite, Metrics, MetricsOptions } from './metrics.ts'
import { Counter, Gauge, Histogram, type Registry } from './prometheus.ts'

const checkBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The series that begin with `nopal_`. */
export function createOwnMetrics(
  registry: Registry,
  options: MetricsOptions,
): Pick<Metrics, 'recordKubeRequest' | 'recordLookup'> & {
  recordVerdict(verdict: Verdict): void
  recordGateWrite(write: GateWrite): void
} {
  const registers = [registry]
  const build = new Gauge({
    name: 'nopal_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version'],
    registers,
  })
  const result = new Gauge({
    name: 'nopal_check_result',
    help: 'Last result of a check: 1 pass, 0 fail. A skipped check has no series.',
    labelNames: ['code', 'from'],
    registers,
  })
  const duration = new Histogram({
    name: 'nopal_check_duration_seconds',
    help: 'Time of one question of a check.',
    labelNames: ['code', 'from'],
    buckets: checkBuckets,
    registers,
  })
  const taintWrites = new Counter({
    name: 'nopal_gate_taint_writes_total',
    help: 'Writes of our own taint that the API accepted.',
    labelNames: ['action'],
    registers,
  })
  build.set({ version: options.version }, 1)
  return {
    recordVerdict(verdict) {
      result.reset()
      for (const check of verdict.checks.filter(wasAsked)) {
        const labels = { code: check.code, from: check.from }
        duration.observe(labels, check.seconds)
        result.set(labels, hasFailed(verdict, check) ? 0 : 1)
      }
    },
    ...createExchangeMetrics(registers),
    recordGateWrite: ({ action, ok }) => (ok ? taintWrites.inc({ action }) : undefined),
  }
}

/** What was asked of the API, and of us. */
function createExchangeMetrics(registers: Registry[]): Pick<Metrics, 'recordKubeRequest' | 'recordLookup'> {
  const requests = new Counter({
    name: 'nopal_kube_requests_total',
    help: 'Requests to the Kubernetes API by HTTP status, or by the way they failed.',
    labelNames: ['verb', 'code'],
    registers,
  })
  const lookups = new Counter({
    name: 'nopal_lookups_total',
    help: 'Questions of kactus by how they ended: known and unknown were answered, bad and refused were none to answer.',
    labelNames: ['outcome'],
    registers,
  })
  return {
    recordKubeRequest: (verb, code) => requests.inc({ verb, code }),
    recordLookup: outcome => lookups.inc({ outcome }),
  }
}

function wasAsked(check: CheckResult): boolean {
  return check.result !== 'skip'
}

function hasFailed(verdict: Verdict, { code, from }: CheckResult): boolean {
  return verdict.checks.some(each => each.code === code && each.from === from && each.result === 'fail')
}
