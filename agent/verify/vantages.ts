import type { CheckResult } from '../verdict/verdict.ts'
import type { Check } from './check.ts'

type Named = Pick<Check, 'code' | 'title'>

/** Says of every check why it was not asked from the sandbox. */
export function skipAll(checks: readonly Named[], reason: string, message: string): readonly CheckResult[] {
  return checks.map(({ code, title }) => ({
    code,
    from: 'sandbox',
    target: title,
    result: 'skip',
    reason,
    message,
    seconds: 0,
  }))
}

/** The whole run's time is over: what the sandbox has not answered by then has failed. */
export function overdueAll(
  checks: readonly (Named & Pick<Check, 'overdue'>)[],
  message: string,
): readonly CheckResult[] {
  const skips = skipAll(checks, '', message)
  return skips.map((each, index) => ({ ...each, result: 'fail', reason: checks[index]?.overdue ?? 'TimedOut' }))
}

/** A network that can attach nobody: pods would have no way out, which is what the TCP check is about. */
export function brokenNetwork(checks: readonly Named[], message: string): readonly CheckResult[] {
  const skips = skipAll(checks, 'DependencyFailed', 'not asked: the sandbox has no network')
  return skips.map(each =>
    each.code === 'tcp' ? { ...each, target: 'sandbox', result: 'fail', reason: 'Unreachable', message } : each,
  )
}
