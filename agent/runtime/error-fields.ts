import { messageOf } from '../../cni/host/system-error.ts'
/** An error as a log line carries it. */
export interface ErrorFields {
  readonly name: string
  readonly message: string
  readonly code?: string
  /** Only for faults of the program itself: an error without a code was not foreseen. */
  readonly stack?: string
  readonly cause?: ErrorFields
}

const deepestCause = 5

/** Turns anything thrown into log fields, causes included. */
export function describeError(thrown: unknown, depth = 0): ErrorFields {
  if (!(thrown instanceof Error)) return { name: typeof thrown, message: String(thrown) }
  const code = codeOf(thrown)
  return {
    name: thrown.name,
    message: thrown.message,
    ...(code === undefined ? {} : { code }),
    ...(code === undefined && thrown.stack !== undefined ? { stack: thrown.stack } : {}),
    ...(thrown.cause === undefined || depth >= deepestCause ? {} : { cause: describeError(thrown.cause, depth + 1) }),
  }
}

/** A plugin's code is a number. */
function codeOf(thrown: Error): string | undefined {
  const code = 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' || typeof code === 'number' ? String(code) : undefined
}

/** An error with a code was foreseen and its message says enough; any other is a fault of the program. */
export function describeFault(error: unknown): string {
  if (error instanceof Error && 'code' in error) return messageOf(error)
  return error instanceof Error ? `internal fault: ${error.stack ?? error.message}` : `internal fault: ${String(error)}`
}
