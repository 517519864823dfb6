import { createSweepMetrics } from '../podagent/metrics.ts'
import { createSweepDuty } from '../podagent/sweep.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { readRecords } from '../sandbox/record.ts'
import { cniOf } from './cni.ts'
import { installs, type NodeContext } from './context.ts'

/** What is left over is seen at one look, acted on at the next, and there is one to spare. */
const looksInTime = 3

/** Gives back what sandboxes have left that the runtime no longer has. */
export function sweepLeftovers(node: NodeContext): Running | undefined {
  const { settings, objects, metrics, loop, log } = node
  const { enabled, sweepMs } = settings.podagent
  if (objects === undefined || !enabled || sweepMs === 0 || !installs(settings)) return undefined
  const { recordFolder } = sandboxPaths(settings.install)
  const duty = createSweepDuty({
    ...cniOf(node),
    everyMs: Math.max(1_000, sweepMs / looksInTime),
    pods: () => (objects.podsKnown() ? [...objects.nodePods()] : undefined),
    probes: async () => (await readRecords(recordFolder)).flatMap(({ record }) => record?.containerId ?? []),
    onLeftover: createSweepMetrics(metrics),
    clock: loop.clock,
    log,
  })
  return startLoop(duty, loop)
}
