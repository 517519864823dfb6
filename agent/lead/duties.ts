import { startInformer } from '../kube/informer.ts'
import { parseNode } from '../kube/node.ts'
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

/** Does all of it until the term ends. Who stands by watches nothing. */
export async function leadTerm({ kube, loop }: LeaderParts, duties: readonly LeaderDuty[], term: Term): Promise<void> {
  const nodes = startInformer({ ...loop, api: kube, path: '/api/v1/nodes', query: {}, parse: parseNode })
  const running = duties.map(start => start(term, { nodes }))
  await firing(term.signal)
  await Promise.all(running.map(part => part.stop()))
  await nodes.stop()
}
