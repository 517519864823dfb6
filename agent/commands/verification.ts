import type { Settings } from '../config/settings.ts'
import type { Gravity } from '../gate/condition.ts'
import type { KubeApi } from '../kube/api.ts'
import { type SettledReads, settleReads } from '../kube/settled-reads.ts'
import { createChecks, createHostPorts } from '../verify/checks.ts'
import { type Progress, runChecks } from '../verify/engine.ts'
import { createGroups } from '../verify/vantages.ts'
import type { Verdict } from '../verify/verdict.ts'

/** The checks of this node, ready to run as often as wanted. */
export interface Verification {
  run(signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Verdict>
  readonly gravity: Gravity
}

export interface VerificationOptions {
  readonly settings: Settings
  readonly dryRun: boolean
  /** undefined = no cluster is known. */
  readonly kube: KubeApi | undefined
  /** Whether a watch proves right now that the API answers us. */
  readonly live?: () => boolean
}

/** Puts the checks together. */
export function createVerification(options: VerificationOptions): Verification {
  const { settings, dryRun, kube, live = () => false } = options
  const reads = kube === undefined ? undefined : settleReads(kube, live)
  const checks = createChecks({
    node: settings.nodeName,
    settings: settings.verify,
    apiService: settings.apiService,
    ports: createHostPorts(reads?.api),
  })
  const groups = createGroups(settings.verify.from, checks)
  const severities = new Map(checks.map(check => [check.code, check.severity]))
  return {
    gravity: code => severities.get(code) ?? 0,
    run: (signal, onProgress) =>
      runSettled(reads, () =>
        runChecks({
          node: settings.nodeName,
          dryRun,
          groups,
          overallMs: settings.verify.initialTimeoutMs,
          signal,
          ...(onProgress === undefined ? {} : { onProgress }),
        }),
      ),
  }
}

/** A failure that rests on answers from memory is looked at again with fresh ones before anyone hears of it. */
async function runSettled(reads: SettledReads | undefined, run: () => Promise<Verdict>): Promise<Verdict> {
  const verdict = await run()
  if (reads === undefined || verdict.passed) return verdict
  return reads.forget() ? run() : verdict
}
