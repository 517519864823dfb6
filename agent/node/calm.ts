import type { Running } from '../runtime/duty.ts'
import type { NodeContext } from './context.ts'

/** The gate is open by then, where it opens at the first verdict. */
const afterVerdictMs = 2_500
/** A node that is not verified soon is part of the mesh all the same. */
const longestMs = 10_000

/** Says when the start is over: what is not needed to open the node waits for that. */
export function awaitCalm({ calm, verdict, loop }: NodeContext): Running {
  const timers: (() => void)[] = []
  const begin = (ms: number) => timers.push(loop.clock.after(ms, () => calm.set(true)))
  begin(longestMs)
  verdict.onChange(() => {
    if (timers.length === 1) begin(afterVerdictMs)
  })
  return {
    async stop() {
      for (const cancel of timers) cancel()
    },
  }
}
