import { AnswerError } from '../runtime/answer-error.ts'

/** The ways a call to the Netmaker server can fail. */
export type NetmakerErrorCode =
  | 'Unreachable'
  | 'TLSFailed'
  | 'TimedOut'
  /** Not what such a server says: a page, a redirect, other JSON, too much of it. */
  | 'BadReply'
  | 'LoginRefused'
  /** A token that was just given out is refused. */
  | 'TokenRefused'
  | 'Forbidden'
  /** 400 and the like: it proves next to nothing, not even that the call was wrong. */
  | 'Refused'
  /** The server is older than its egress rules. */
  | 'NoEgress'
  | 'Throttled'
  | 'ServerError'
  /** Some writes of a pass failed; the cause is the first one's error. */
  | 'WritesFailed'

export class NetmakerError extends AnswerError<NetmakerErrorCode> {
  override readonly name = 'NetmakerError'
}
