import { type EventRecorder, nodeRef } from '../kube/events.ts'
import type { HeldDelete, RuleDelete } from './actions.ts'
import type { ClusterNode } from './world.ts'

/** Tells of deletes, done and held, by Events on the Nodes whose rules they are. */
export interface DeleteEvents {
  tellDeleted(deleted: RuleDelete, signal: AbortSignal): Promise<void>
  /** Each once for as long as it is held for that reason. */
  tellHeld(held: readonly HeldDelete[], signal: AbortSignal): Promise<void>
}

/** What a pass may tell: the rest waits for the next one. */
const mostAtOnce = 50

export function createDeleteEvents(
  recorder: EventRecorder,
  findNode: (name: string) => ClusterNode | undefined,
): DeleteEvents {
  let told: ReadonlySet<string> = new Set()
  /** A Node that is gone has no uid any more: its name stands in, as the node controller has it. */
  const refOf = ([name = 'unknown']: readonly string[]) => nodeRef(findNode(name) ?? { name, uid: name })
  return {
    tellDeleted({ rule, nodes, reason }, signal) {
      const note = `${reason}: the Netmaker egress rule ${describe(rule)} is deleted`
      return recorder.record(refOf(nodes), { type: 'Normal', reason: 'EgressRuleDeleted', note }, signal)
    },
    async tellHeld(held, signal) {
      const keyOf = ({ rule, reason }: HeldDelete) => `${rule.id} ${reason}`
      const news = held.filter(one => !told.has(keyOf(one))).slice(0, mostAtOnce)
      const known = new Set([...told, ...news.map(keyOf)])
      told = new Set(held.map(keyOf).filter(key => known.has(key)))
      for (const { rule, nodes, reason } of news) {
        const note = `${reason}: the Netmaker egress rule ${describe(rule)} has no use any more, and is not deleted`
        await recorder.record(refOf(nodes), { type: 'Warning', reason: 'EgressDeleteHeld', note }, signal)
      }
    },
  }
}

function describe({ id, name, network, range }: HeldDelete['rule']): string {
  return `${id} (${name}, ${range}, network ${network})`
}
