import type { CheckResult } from '../../../../agent/verdict/verdict.ts'
import type { Check } from '../../../../agent/verify/check.ts'
import { runChecks } from '../../../../agent/verify/engine.ts'

/** Runs checks from the host as the agent would and gives their results. */
export async function runFromHost(...checks: readonly Check[]): Promise<readonly CheckResult[]> {
  const signal = new AbortController().signal
  const groups = [{ from: 'host', checks }] as const
  return (await runChecks({ node: 'n1', dryRun: false, groups, overallMs: 30_000, signal })).checks
}

/** One result in one line: `dns fail NXDomain: example.com @127.0.0.1 A`. */
export function summarize({ code, result, reason, target }: CheckResult): string {
  return `${[code, result, reason].filter(Boolean).join(' ')}: ${target}`
}
