import type { CheckResult } from '../verdict/verdict.ts'

/**
 * Puts what the sandbox found beside what the host found. Where only the pods' path fails, the message says so; peers that
 * answer neither are not known to be the pods' fault.
 */
export function settlePodsPath(results: readonly CheckResult[]): readonly CheckResult[] {
  const host = results.filter(each => each.from === 'host')
  const failsOnHost = new Set(host.filter(each => each.result === 'fail').map(each => each.code))
  const hostReachesPeers = host.some(each => each.code === 'peers' && each.result === 'pass')
  return results.map(each => {
    if (each.from !== 'sandbox' || each.result !== 'fail') return each
    if (each.code === 'peers' && host.length > 0 && !hostReachesPeers) return { ...each, result: 'warn' }
    return failsOnHost.has(each.code) ? each : { ...each, message: `sandbox: ${each.message}` }
  })
}
