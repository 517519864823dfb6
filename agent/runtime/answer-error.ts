import { CodedError } from '../../cni/host/coded-error.ts'

/** What else is known of an answer that is none. */
export interface AnswerDetails {
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** A server has not answered, or not well. */
export class AnswerError<C extends string> extends CodedError<C> {
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** Milliseconds the server asked to wait (Retry-After), where it did. */
  readonly retryAfterMs: number | undefined

  constructor(code: C, message: string, details: AnswerDetails = {}) {
    super(code, message, details.cause)
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
  }
}
