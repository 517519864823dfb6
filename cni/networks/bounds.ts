import { CniCode, CniError } from '../spec/errors.ts'

/** What one pod can make kactus hold: the rest of the cluster writes networks and annotations. */
export const MAX_CONFIG_BYTES = 64 * 1024
export const MAX_POD_BYTES = 2 ** 20
export const MAX_CHAIN = 16

/** Adds up what the networks of one pod hold. */
export class PodBudget {
  #left = MAX_POD_BYTES

  /** @throws CniError 7 */
  spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left >= 0) return
    const limit = `${MAX_POD_BYTES / 1024} KiB`
    throw new CniError(
      CniCode.InvalidNetworkConfig,
      `the configurations of the pod's networks are larger than ${limit}`,
    )
  }
}
