/** A question to Hetzner Cloud that was not answered well. */
export class HcloudError extends Error {
  override readonly name = 'HcloudError'
  /** The API's own (`unauthorized`, `rate_limit_exceeded`), or `unreachable`, `timed_out`, `bad_answer`, `no_token`. */
  readonly code: string
  /** Milliseconds until it makes sense to ask again, where that is known. */
  readonly retryAfterMs: number | undefined
  /** Whether the same question may be answered a moment later. */
  readonly passing: boolean

  constructor(code: string, message: string, details: HcloudErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.retryAfterMs = details.retryAfterMs
    this.passing = details.passing ?? false
  }
}

export interface HcloudErrorDetails {
  readonly retryAfterMs?: number | undefined
  readonly passing?: boolean
  readonly cause?: unknown
}

/** To read is safe to repeat, so what a writer must not repeat is asked again as well. */
const passingCodes = new Set([
  'conflict',
  'unavailable',
  'service_error',
  'server_error',
  'maintenance',
  'timeout',
  'bad_gateway',
])

/** Whether an answer with this code and HTTP status says nothing of the next one. */
export function isPassing(code: string, status: number): boolean {
  return passingCodes.has(code) || status >= 500
}
