import type { CountOrShare } from '../config/settings.ts'
import type { Clock } from '../runtime/clock.ts'

/** How many rules may still be deleted within the interval that runs. */
export interface DeleteBudget {
  /** @param managed how many rules of ours there are */
  left(managed: number): number
  spend(): void
}

export interface DeleteBudgetOptions {
  readonly most: CountOrShare
  readonly intervalMs: number
  readonly clock: Clock
}

/** Changed nodes start passes of their own: without a window of time each of them would bring a whole new budget. */
export function createDeleteBudget({ most, intervalMs, clock }: DeleteBudgetOptions): DeleteBudget {
  let sinceMs = clock.monotonic()
  let spent = 0
  return {
    left(managed) {
      if (clock.monotonic() - sinceMs >= intervalMs) {
        sinceMs = clock.monotonic()
        spent = 0
      }
      // 0.07 * 100 is a little above 7.
      const limit = 'nodes' in most ? most.nodes : Math.floor(Number((most.share * managed).toFixed(6)))
      return Math.max(0, Math.max(1, limit) - spent)
    },
    spend() {
      spent += 1
    },
  }
}
