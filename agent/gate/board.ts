import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import type { Verdict } from '../verify/verdict.ts'
import type { NodeVerdict } from './plan.ts'
import { findMarks } from './taints.ts'

/** What a verification was started under; it counts only if that still holds when it ends. */
export interface Ticket {
  readonly epoch: number
}

/**
 * Keeps the verdict that counts. A verdict stops counting when the node is another one, or when someone takes the
 * label away: then it was asked for afresh.
 */
export interface VerdictBoard {
  /** Call before a verification starts. */
  begin(): Ticket
  /** Call with its verdict. Returns false if meanwhile something called it into doubt. */
  finish(ticket: Ticket, verdict: Verdict): boolean
  /** Call with each new sight of the node; undefined = it is gone. Returns why a new verification is due, if it is. */
  observe(node: KubeNode | undefined): Doubt | undefined
  current(): NodeVerdict | undefined
}

/** Why the last verdict counts no more. */
export type Doubt = 'node replaced' | 'node gone' | 'label removed' | 'taint put back'

export function createVerdictBoard(settings: Pick<GateSettings, 'taint' | 'label'>): VerdictBoard {
  let epoch = 0
  let verdict: Verdict | undefined
  let seen: KubeNode | undefined
  let lastUid: string | undefined
  return {
    begin: () => ({ epoch }),
    finish(ticket, found) {
      if (ticket.epoch !== epoch) return false
      verdict = found
      return true
    },
    observe(node) {
      const doubt = findDoubt(seen, node, { lastUid, settings })
      seen = node
      lastUid = node?.uid ?? lastUid
      if (doubt === undefined) return undefined
      epoch += 1
      verdict = undefined
      return doubt
    },
    current: () => (verdict === undefined || seen === undefined ? undefined : { uid: seen.uid, verdict }),
  }
}

interface DoubtContext {
  readonly lastUid: string | undefined
  readonly settings: Pick<GateSettings, 'taint' | 'label'>
}

function findDoubt(before: KubeNode | undefined, now: KubeNode | undefined, context: DoubtContext): Doubt | undefined {
  if (now === undefined) return before === undefined ? undefined : 'node gone'
  if (context.lastUid !== undefined && context.lastUid !== now.uid) return 'node replaced'
  if (before === undefined) return undefined
  const was = findMarks(before, context.settings)
  const is = findMarks(now, context.settings)
  if (was.labelled && !is.labelled) return 'label removed'
  const tainted = was.taintAt.length === 0 && is.taintAt.length > 0
  return tainted && !is.labelled ? 'taint put back' : undefined
}
