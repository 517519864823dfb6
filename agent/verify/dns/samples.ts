import { CheckFault } from '../check.ts'

/** What several samples of one question say together. */
export interface Sampled<T> {
  readonly value: T
  /** Set where one sample of three went wrong. */
  readonly doubt: CheckFault | undefined
}

/**
 * Asks twice at once, and a third time where the two disagree; the majority counts. One lost packet fails nobody, and a
 * server of which every second answer is wrong is not taken for a good one.
 * @throws CheckFault of the majority
 */
export async function sample<T>(ask: () => Promise<T>): Promise<Sampled<T>> {
  const once = () => ask().catch(toFault)
  const [one, two] = await Promise.all([once(), once()])
  if (!(one instanceof CheckFault) && !(two instanceof CheckFault)) return { value: one, doubt: undefined }
  if (one instanceof CheckFault && two instanceof CheckFault) throw one
  const third = await once()
  const doubt = one instanceof CheckFault ? one : two
  if (third instanceof CheckFault) throw third
  return { value: third, doubt: doubt instanceof CheckFault ? doubt : undefined }
}

/** What kept a question from being answered. */
export function toFault(error: unknown): CheckFault {
  return error instanceof CheckFault ? error : new CheckFault('NoAnswer', String(error), error)
}
