import { CniError } from '../../../cni/spec/errors.ts'

/** The error that some work ends with; that it ends well is a failure of the test. */
export async function refusalOf(work: () => unknown): Promise<CniError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof CniError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** Tells an error with one of these codes from every other. */
export function hasCode(...codes: readonly number[]): (error: unknown) => boolean {
  return error => error instanceof CniError && codes.includes(error.code)
}
