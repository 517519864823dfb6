import type { Running } from '../runtime/duty.ts'
import type { LeaderContext } from './context.ts'

/** Starts one duty for a term; undefined = the settings switch it off. */
export type LeaderDuty = (leader: LeaderContext) => Running | undefined

/** All that is done once for the cluster. */
const leaderDuties: readonly LeaderDuty[] = []

/** Does all of it until the term ends. */
export async function leadTerm(leader: LeaderContext): Promise<void> {
  const running = leaderDuties.map(start => start(leader)).filter(part => part !== undefined)
  await new Promise<void>(resolve => {
    if (leader.term.signal.aborted) resolve()
    leader.term.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.all(running.map(part => part.stop()))
}
