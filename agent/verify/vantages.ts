import type { VerifySettings } from '../config/settings.ts'
import type { Check } from './check.ts'
import type { ProbeGroup } from './engine.ts'

/**
 * The places to look from. There are no checks from a pod's own network yet: where the host's run as well
 * they speak for the node, and where only the sandbox's were wanted each of them says that it was skipped.
 */
export function createGroups(from: VerifySettings['from'], hostChecks: readonly Check[]): readonly ProbeGroup[] {
  if (from.includes('host')) return [{ from: 'host', checks: hostChecks }]
  return [{ from: 'sandbox', checks: hostChecks.map(toSkipped) }]
}

function toSkipped(check: Check): Check {
  const message = 'this version checks from the host only'
  const skip = { target: check.title, result: 'skip', reason: 'NoSandbox', message, seconds: 0 } as const
  return { ...check, dependsOn: [], run: async () => [skip] }
}
