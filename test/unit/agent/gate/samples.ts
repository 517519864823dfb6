import type { GateSettings } from '../../../../agent/config/settings.ts'
import type { Streak } from '../../../../agent/gate/board.ts'
import { conditionType } from '../../../../agent/gate/condition.ts'
import { type KubeNode, parseNode } from '../../../../agent/kube/node.ts'
import type { Reason } from '../../../../agent/verdict/reasons.ts'
import type { CheckResult, Verdict } from '../../../../agent/verdict/verdict.ts'
import { load } from '../config/given.ts'

/** As they are where nobody has changed them. */
export const settings: GateSettings = load({}).settings.gate

export const ownTaint = { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' }
export const ownLabel = { 'node-ready/verified': 'true' }
export const nowMs = Date.parse('2026-01-01T12:00:00Z')

/** Parts of a Node; what is not given is absent. */
export interface NodeParts {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>> | null
  readonly taints?: readonly unknown[] | null
  readonly conditions?: readonly unknown[]
}

/** A Node as the API sends it. */
export function nodeBody(parts: NodeParts) {
  const { uid = 'u1', resourceVersion = '1', labels, taints, conditions } = parts
  return {
    metadata: { name: 'n1', uid, resourceVersion, ...(labels === undefined ? {} : { labels }) },
    spec: { ...(taints === undefined ? {} : { taints }) },
    status: { ...(conditions === undefined ? {} : { conditions }) },
  }
}

/** A Node as the agent sees it. */
export function nodeOf(parts: NodeParts): KubeNode {
  const node = parseNode(nodeBody(parts))
  if (node === undefined) throw new Error('the sample is no node')
  return node
}

/** Our condition with a heartbeat so many milliseconds ago. */
export function conditionOf(status: string, reason: string, message: string, agoMs = 0) {
  const time = new Date(nowMs - agoMs).toISOString()
  return { type: conditionType, status, reason, message, lastHeartbeatTime: time, lastTransitionTime: time }
}

export const passedCondition = conditionOf('True', 'Verified', 'every check has passed')

export function failing(
  code: CheckResult['code'],
  reason: Reason,
  target = 'x',
  from: CheckResult['from'] = 'host',
): CheckResult {
  return { code, from, target, result: 'fail', reason, message: 'took 0.123 s', seconds: 0.123 }
}

export function verdictOf(...failed: readonly CheckResult[]): Verdict {
  const pass: CheckResult = { code: 'tcp', from: 'host', target: 'y', result: 'pass', message: '', seconds: 0.01 }
  const checks = [pass, { ...pass, from: 'sandbox' } as const, ...failed]
  return { node: 'n1', passed: failed.length === 0, dryRun: false, seconds: 0.2, checks }
}

/** The first run of its outcome, just ended. */
export const firstRun: Streak = { runs: 1, spanMs: 0, ageMs: 0 }
