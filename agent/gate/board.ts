import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { findMarks, type OwnMarks } from './taints.ts'

/** A verdict and the node it is about. */
export interface NodeVerdict {
  /** UID of the Node that was verified. */
  readonly uid: string
  readonly verdict: Verdict
  readonly streak: Streak
}

/** The row of runs with the same outcome that a verdict is the newest of. */
export interface Streak {
  readonly runs: number
  /** From the end of the first to the end of the newest. */
  readonly spanMs: number
  /** Since the end of the newest. */
  readonly ageMs: number
}

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

/** Verdicts in a row with the same outcome; times by the clock that never jumps. */
interface Row {
  readonly passed: boolean
  readonly runs: number
  readonly firstMs: number
  readonly lastMs: number
}

export function createVerdictBoard(
  settings: Pick<GateSettings, 'taint' | 'label'>,
  clock: Pick<Clock, 'monotonic'>,
): VerdictBoard {
  let epoch = 0
  let verdict: Verdict | undefined
  let row: Row | undefined
  let seen: KubeNode | undefined
  let lastUid: string | undefined
  return {
    begin: () => ({ epoch }),
    finish(ticket, found) {
      if (ticket.epoch !== epoch) return false
      verdict = found
      row = extend(row, found.passed, clock.monotonic())
      return true
    },
    observe(node) {
      const doubt = findDoubt(seen, node, { lastUid, settings, failing: verdict?.passed === false })
      seen = node
      lastUid = node?.uid ?? lastUid
      if (doubt === undefined) return undefined
      epoch += 1
      verdict = undefined
      // Of the same node the runs that failed have still failed.
      if (doubt === 'node replaced' || doubt === 'node gone' || row?.passed === true) row = undefined
      return doubt
    },
    current: () =>
      verdict === undefined || seen === undefined || row === undefined
        ? undefined
        : { uid: seen.uid, verdict, streak: toStreak(row, clock.monotonic()) },
  }
}

function extend(row: Row | undefined, passed: boolean, nowMs: number): Row {
  if (row?.passed !== passed) return { passed, runs: 1, firstMs: nowMs, lastMs: nowMs }
  return { ...row, runs: row.runs + 1, lastMs: nowMs }
}

function toStreak({ runs, firstMs, lastMs }: Row, nowMs: number): Streak {
  return { runs, spanMs: lastMs - firstMs, ageMs: nowMs - lastMs }
}

interface DoubtContext {
  readonly lastUid: string | undefined
  readonly settings: Pick<GateSettings, 'taint' | 'label'>
  /** Whether the verdict that counts says that the node fails. */
  readonly failing: boolean
}

function findDoubt(before: KubeNode | undefined, now: KubeNode | undefined, context: DoubtContext): Doubt | undefined {
  if (now === undefined) return before === undefined ? undefined : 'node gone'
  if (context.lastUid !== undefined && context.lastUid !== now.uid) return 'node replaced'
  if (before === undefined) return undefined
  return findEdit(findMarks(before, context.settings), findMarks(now, context.settings), context.failing)
}

function findEdit(was: OwnMarks, is: OwnMarks, failing: boolean): Doubt | undefined {
  const tainted = was.taintAt.length === 0 && is.taintAt.length > 0
  // What we write ourselves when a node fails; from anybody else it says no more than our verdict does.
  if (tainted && failing) return undefined
  if (was.labelled && !is.labelled) return 'label removed'
  return tainted && !is.labelled ? 'taint put back' : undefined
}
