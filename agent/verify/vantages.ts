import type { Reason } from '../verdict/reasons.ts'
import type { CheckResult } from '../verdict/verdict.ts'
import { type Check, skipped } from './check.ts'

type Named = Pick<Check, 'code' | 'title'>

/** Says of every check why it was not asked from the sandbox. */
function skipAll(checks: readonly Named[], reason: Reason, message: string): readonly CheckResult[] {
  return checks.map(({ code, title }) => ({ code, from: 'sandbox', ...skipped(title, reason, message) }))
}

/** The whole run's time is over: what the sandbox has not answered by then has failed. */
export function overdueAll(
  checks: readonly (Named & Pick<Check, 'overdue'>)[],
  message: string,
): readonly CheckResult[] {
  const skips = skipAll(checks, 'TimedOut', message)
  return skips.map((each, index) => ({ ...each, result: 'fail', reason: checks[index]?.overdue ?? 'TimedOut' }))
}

/** What is found of the sandbox itself: whether the network attaches one as it would a pod. */
export type SandboxFinding = Omit<CheckResult, 'code' | 'from' | 'target'>

/** The sandbox as a check of its own. */
export function sandboxCheck(finding: SandboxFinding): CheckResult {
  return { code: 'sandbox', from: 'sandbox', target: 'sandbox', ...finding }
}

/** There is none to ask from, and that is a failure: a question that could not be asked is no good answer. */
export function failedSandbox(checks: readonly Named[], finding: SandboxFinding): readonly CheckResult[] {
  return [sandboxCheck(finding), ...skipAll(checks, 'DependencyFailed', 'not asked: there is no sandbox to ask from')]
}

/** There is none to ask from, and that fails nobody. */
export function noSandbox(checks: readonly Named[], reason: Reason, message: string): readonly CheckResult[] {
  return skipAll([{ code: 'sandbox', title: 'sandbox' }, ...checks], reason, message)
}
