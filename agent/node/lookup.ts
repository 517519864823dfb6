import { answerLine } from '../lookup/answers.ts'
import { startObjectCache } from '../lookup/cache.ts'
import { createLookupDuty } from '../lookup/duty.ts'
import { createLookupMetrics } from '../lookup/metrics.ts'
import { socketPath } from '../lookup/paths.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import type { NodeContext } from './context.ts'

/** Answers kactus from memory. A dry run leaves nothing on the host, no socket either. */
export function answerKactus({ settings, log, kube, metrics, loop }: NodeContext): Running | undefined {
  if (settings.agent.socket === '' || settings.gate.dryRun) return undefined
  const { clock } = loop
  const { recordLookup, recordWorkers } = createLookupMetrics(metrics)
  const cache = startObjectCache({ ...loop, api: kube, nodeName: settings.nodeName, onWorkers: recordWorkers })
  const duty = (wake: () => void) =>
    createLookupDuty({
      path: socketPath(settings),
      uid: process.getuid?.() ?? 0,
      async answer(line) {
        const { text, outcome } = await answerLine(line, cache, clock)
        recordLookup(outcome)
        return text
      },
      onRefused: () => recordLookup('refused'),
      wake,
      log,
      clock,
    })
  const running = startLoop(duty, loop)
  return { stop: () => running.stop().then(() => cache.stop()) }
}
