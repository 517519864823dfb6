import { createGateStatus } from '../../../../agent/gate/status.ts'
import type { InstallState } from '../../../../agent/install/duty.ts'
import { createInstallStatus } from '../../../../agent/install/status.ts'
import type { KubeNode } from '../../../../agent/kube/node.ts'
import { createStatus, type Status } from '../../../../agent/report/status.ts'
import type { CheckCode, CheckResult, Outcome, Verdict } from '../../../../agent/verdict/verdict.ts'
import { createVerdictStatus } from '../../../../agent/verify/status.ts'

/** A result of a check. */
export function result(code: CheckCode, outcome: Outcome, target: string, seconds: number): CheckResult {
  const reason = outcome === 'pass' ? {} : ({ reason: outcome === 'skip' ? 'NoCluster' : 'Refused' } as const)
  return { code, from: 'host', target, result: outcome, ...reason, message: 'as told', seconds }
}

/** A verdict of some results. */
export function verdict(...checks: readonly CheckResult[]): Verdict {
  return { node: 'n1', passed: !checks.some(each => each.result === 'fail'), dryRun: false, seconds: 1.25, checks }
}

/** How far the parts of an agent are. */
interface Parts {
  readonly verdict: Verdict | undefined
  readonly installs: boolean
  readonly installed: InstallState | undefined
  readonly own: KubeNode | undefined
}

const marks = {
  taint: { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' },
  label: { key: 'node-ready/verified', value: 'true' },
} as const

const wellParts: Parts = {
  verdict: verdict(result('dns', 'pass', 'x.test @192.0.2.53 A', 0.01)),
  installs: true,
  installed: { installed: true, message: 'kactus wraps network bridge of 10-bridge.conflist' },
  own: undefined,
}

/** What an agent says of itself whose parts are well but for those that are given. */
export function statusOf(different: Partial<Parts> = {}, node = 'n1'): Status {
  const parts = { ...wellParts, ...different }
  const status = createStatus({ node, version: '1.2.3' }, () => 0)
  status.add(createInstallStatus(parts.installs, () => parts.installed))
  status.add(createVerdictStatus(() => parts.verdict && { verdict: parts.verdict, timeMs: 1_000 }))
  status.add(createGateStatus(marks, () => parts.own))
  return status
}

export const failedVerdict = verdict(result('dns', 'fail', 'x.test @192.0.2.53 A', 0.01))
