import { answerLine } from '../lookup/answers.ts'
import { createLookupDuty } from '../lookup/duty.ts'
import { createLookupMetrics } from '../lookup/metrics.ts'
import { socketPath } from '../lookup/paths.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import type { NodeContext } from './context.ts'

/** Answers kactus from memory. A dry run leaves nothing on the host, no socket either. */
export function answerKactus({ settings, log, objects, metrics, loop }: NodeContext): Running | undefined {
  if (objects === undefined || settings.agent.socket === '') return undefined
  const { clock } = loop
  const recordLookup = createLookupMetrics(metrics)
  const duty = (wake: () => void) =>
    createLookupDuty({
      path: socketPath(settings),
      uid: process.getuid?.() ?? 0,
      async answer(line) {
        const { text, outcome } = await answerLine(line, objects, clock)
        recordLookup(outcome)
        return text
      },
      onRefused: () => recordLookup('refused'),
      wake,
      log,
      clock,
    })
  return startLoop(duty, loop)
}
