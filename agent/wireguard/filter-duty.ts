import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { type FilterFacts, planFilter, removeFilter } from './packet-filter.ts'

export interface FilterDutyOptions {
  /** `[wireguard] prevent`. */
  readonly wanted: boolean
  /** undefined = not known yet: then a table that is there stays as it is. */
  readonly facts: () => FilterFacts | undefined
  /** @throws FilterFault */
  readonly run: (commands: readonly string[]) => Promise<void>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Logger
}

/** Somebody may have flushed all rules of the node. */
const againMs = 60_000

/** Keeps our table of the packet filter as it should be, or away. Run it when what it is made from may have changed. */
export function createFilterDuty(options: FilterDutyOptions): Duty {
  const { wanted, facts, clock } = options
  const apply = createApply(options)
  return {
    name: 'packet-filter',
    async reconcile() {
      const known = wanted ? facts() : undefined
      if (known !== undefined) await apply(planFilter(known), clock.monotonic())
      // Where there is no program for it, or no right to, there is no table either.
      else if (!wanted)
        await options.run(removeFilter).catch(err => options.log.debug({ err }, 'no packet filter taken away'))
      return wanted ? againMs : undefined
    },
  }
}

function createApply({ run, log }: FilterDutyOptions) {
  let applied = { text: '', atMs: Number.NEGATIVE_INFINITY }
  return async (commands: readonly string[], nowMs: number): Promise<void> => {
    const text = commands.join('\n')
    const isNew = text !== applied.text
    if (!isNew && nowMs - applied.atMs < againMs) return
    await run(commands)
    if (isNew) log.info({ lines: commands.length }, 'packet filter set')
    applied = { text, atMs: nowMs }
  }
}
