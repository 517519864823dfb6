import { CniCode, CniError } from '../spec/errors.ts'
import { surveyJson } from '../spec/json.ts'

/** What one pod can make kactus hold: the rest of the cluster writes networks and annotations. */
export const MAX_CONFIG_BYTES = 64 * 1024
const MAX_POD_BYTES = 2 ** 20
export const MAX_CHAIN = 16

/** A configuration has more bytes to a value; one of `[],[],[]` takes ten times its length once it is read. */
const BYTES_OF_VALUE = 12

/** More are larger than a configuration may be. */
export const MAX_CONFIG_VALUES = Math.floor(MAX_CONFIG_BYTES / BYTES_OF_VALUE)

/** What a JSON text counts for: its bytes, and at least so many for each value. */
export function sizeOf(text: string): number {
  return Math.max(Buffer.byteLength(text), surveyJson(text).values * BYTES_OF_VALUE)
}

/** Adds up what the networks of one pod hold. */
export class PodBudget {
  #left = MAX_POD_BYTES

  /** @throws CniError 7 */
  spend(size: number): void {
    this.#left -= size
    if (this.#left >= 0) return
    const limit = `${MAX_POD_BYTES / 1024} KiB`
    throw new CniError(
      CniCode.InvalidNetworkConfig,
      `the configurations of the pod's networks are larger than ${limit}`,
    )
  }
}
