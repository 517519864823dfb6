import type { StatusSection } from '../report/status.ts'
import type { Verdict } from '../verdict/verdict.ts'

/** A verdict and when it came. */
export interface TimedVerdict {
  readonly verdict: Verdict
  /** Since 1970. */
  readonly timeMs: number
}

/** What is told of the newest verification. */
export function createVerdictStatus(newest: () => TimedVerdict | undefined): StatusSection {
  return {
    json() {
      const found = newest()
      return { verdict: found?.verdict ?? null, verdictTime: found === undefined ? null : timeOf(found) }
    },
    facts: () => [{ name: 'network', text: describe(newest()) }],
    // A verdict of any kind will do: a bad node needs its agent most.
    missing: () => (newest() === undefined ? ['the first verification has not ended'] : []),
    problems: () => problemsOf(newest()?.verdict),
  }
}

function describe(found: TimedVerdict | undefined): string {
  if (found === undefined) return 'not verified yet'
  return `${found.verdict.passed ? 'verified' : 'failed its verification'} at ${timeOf(found)}`
}

function timeOf({ timeMs }: TimedVerdict): string {
  return new Date(timeMs).toISOString()
}

function problemsOf(verdict: Verdict | undefined): readonly string[] {
  if (verdict === undefined) return ['not verified yet']
  if (verdict.passed) return []
  const failed = verdict.checks.filter(each => each.result === 'fail')
  const lines = failed.map(each => `${each.code} ${each.reason ?? ''} ${each.target}: ${each.message}`)
  return ['the node failed its verification', ...lines]
}
