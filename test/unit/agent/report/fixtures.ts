import type { AgentStatus } from '../../../../agent/report/status.ts'
import type { CheckCode, CheckResult, Outcome, Verdict } from '../../../../agent/verdict/verdict.ts'

/** A result of a check. */
export function result(code: CheckCode, outcome: Outcome, target: string, seconds: number): CheckResult {
  const reason = outcome === 'pass' ? {} : { reason: outcome === 'skip' ? 'NoCluster' : 'Refused' }
  return { code, from: 'host', target, result: outcome, ...reason, message: 'as told', seconds }
}

/** A verdict of some results. */
export function verdict(...checks: readonly CheckResult[]): Verdict {
  return { node: 'n1', passed: !checks.some(each => each.result === 'fail'), dryRun: false, seconds: 1.25, checks }
}

/** A node that is well. */
export const wellStatus: AgentStatus = {
  node: 'n1',
  version: '1.2.3',
  startTime: '2026-01-01T00:00:00.000Z',
  verdict: verdict(result('dns', 'pass', 'x.test @192.0.2.53 A', 0.01)),
  verdictTime: '2026-01-01T00:00:01.000Z',
  cni: { enabled: true, installed: true, message: 'kactus wraps network bridge of 10-bridge.conflist' },
  gate: { tainted: false, message: 'lifted' },
}

export const failedVerdict = verdict(result('dns', 'fail', 'x.test @192.0.2.53 A', 0.01))
