import { CodedError } from '../../cni/host/coded-error.ts'
import type { Reason } from '../verdict/reasons.ts'
import type { CheckCode, CheckResult, Outcome } from '../verdict/verdict.ts'

/** What a check learned from one question; the engine adds which check asked and from where. */
export type Finding = Omit<CheckResult, 'code' | 'from'>

/** A question that is not asked, and why. */
export function skipped(target: string, reason: Reason, message: string): Finding {
  return { target, result: 'skip', reason, message, seconds: 0 }
}

/** What a question answers when nothing is wrong with it. */
export interface Answer {
  readonly result: Outcome
  readonly reason?: Reason
  readonly message: string
}

/** One thing to prove about a node, as data; the engine knows nothing else of it. */
export interface Check {
  readonly code: CheckCode
  /** A short name for people. */
  readonly title: string
  /** Checks that must not fail first; with one failed, this check is skipped. */
  readonly dependsOn: readonly CheckCode[]
  /** Milliseconds for one question. A search path or a list of addresses is several questions. */
  readonly limitMs: number
  /** The reason of a question that was cut short. */
  readonly overdue: Reason
  run(probe: Probe): Promise<readonly Finding[]>
}

/** What the engine lends to a running check. */
export interface Probe {
  /** Ends with the whole run. */
  readonly signal: AbortSignal
  /**
   * Gives one question its own limit.
   * @throws CheckFault with the check's `overdue` reason if the question outlives it
   */
  within<T>(question: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Times a piece of work and makes a finding of its answer or of what it throws. */
  find(target: string, work: () => Promise<Answer>): Promise<Finding>
}

/** A question with a bad end: `reason` is what users see in conditions and JSON. */
export class CheckFault extends CodedError<Reason> {
  override readonly name = 'CheckFault'
}
