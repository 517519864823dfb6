import type { Term } from '../kube/term.ts'
import { firing } from '../runtime/clock.ts'
import type { LeaderDuty, LeaderDutySource, LeaderParts } from './context.ts'
import { keepEgress } from './egress.ts'
import { keepPool } from './pool.ts'
import { remedyNodes } from './remedy.ts'

/** All that is done once for the cluster. */
const sources: readonly LeaderDutySource[] = [keepEgress, keepPool, remedyNodes]

/** What the settings ask of this process while it leads. */
export function createLeaderDuties(leader: LeaderParts): readonly LeaderDuty[] {
  return sources.map(create => create(leader)).filter(duty => duty !== undefined)
}

/** Does all of it until the term ends. */
export async function leadTerm(duties: readonly LeaderDuty[], term: Term): Promise<void> {
  const running = duties.map(start => start(term))
  await firing(term.signal)
  await Promise.all(running.map(part => part.stop()))
}
