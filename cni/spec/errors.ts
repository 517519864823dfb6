import { CodedError } from '../host/coded-error.ts'
import { messageOf } from '../host/system-error.ts'

/** Error codes of the CNI specification; 8 and 999 are those of its Go library. kactus' own are 100 and up. */
export const CniCode = {
  IncompatibleVersion: 1,
  UnsupportedField: 2,
  UnknownContainer: 3,
  InvalidEnvironment: 4,
  IoFailure: 5,
  DecodingFailure: 6,
  InvalidNetworkConfig: 7,
  InvalidNetNs: 8,
  TryAgainLater: 11,
  PluginNotAvailable: 50,
  LimitedConnectivity: 51,
  Internal: 999,
} as const

export interface CniErrorOptions {
  readonly details?: string | undefined
  readonly cause?: unknown
}

/** What a plugin says on stdout when it fails: a number to decide on, a sentence to read. */
export class CniError extends CodedError<number> {
  override readonly name = 'CniError'
  readonly details: string | undefined

  constructor(code: number, message: string, options: CniErrorOptions = {}) {
    super(code, message, options.cause)
    this.details = options.details
  }
}

/** Any failure as one that can be answered: its own code where it has one, else 999. */
export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error
  const message = messageOf(error)
  return new CniError(CniCode.Internal, message, { cause: error })
}

/**
 * Throws several failures as one: the code of the first, the words of all.
 * @throws CniError where there is any
 */
export function throwTogether(failures: readonly unknown[]): void {
  const all = failures.map(toCniError)
  const [first] = all
  if (first === undefined) return
  if (all.length === 1) throw first
  const details = all.flatMap(error => error.details ?? []).join('; ')
  const message = all.map(error => error.message).join('; ')
  throw new CniError(first.code, message, { details: details === '' ? undefined : details, cause: first })
}
