import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { answerLine } from '../lookup/answers.ts'
import { startObjectCache } from '../lookup/cache.ts'
import { createLookupDuty } from '../lookup/duty.ts'
import { createLookupMetrics } from '../lookup/metrics.ts'
import { socketPath } from '../lookup/paths.ts'
import type { Logger } from '../runtime/log.ts'
import { type LoopOptions, startLoop } from '../runtime/loop.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** What the lookup takes of a running agent. */
export interface LookupParts {
  readonly settings: Settings
  readonly log: Logger
  readonly kube: KubeClient
  readonly metrics: Metrics
  readonly loop: LoopOptions
}

/** Starts to answer kactus from memory; undefined = switched off. A dry run leaves nothing on the host, no socket either. */
export function startLookup({
  settings,
  log,
  kube,
  metrics,
  loop: shared,
}: LookupParts): { stop(): Promise<void> } | undefined {
  if (settings.agent.socket === '' || settings.gate.dryRun) return undefined
  const { clock } = shared
  const { recordLookup, recordWorkers } = createLookupMetrics(metrics)
  const cache = startObjectCache({
    ...shared,
    api: kube,
    nodeName: settings.nodeName,
    onWorkers: recordWorkers,
  })
  const duty = createLookupDuty({
    path: socketPath(settings),
    uid: process.getuid?.() ?? 0,
    async answer(line) {
      const { text, outcome } = await answerLine(line, cache, clock)
      recordLookup(outcome)
      return text
    },
    onRefused: () => recordLookup('refused'),
    wake: () => loop.wake(),
    log,
    clock,
  })
  const loop = startLoop(duty, shared)
  return {
    async stop() {
      await loop.stop()
      await Promise.all([duty.close(), cache.stop()])
    },
  }
}
