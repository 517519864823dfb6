/** How often, and since when, the lists have not had an address. */
export interface Miss {
  readonly count: number
  /** Milliseconds of the clock that never jumps. */
  readonly sinceMs: number
}

/**
 * Counts the addresses that are missed now; one that is there again begins anew.
 * @param isNewList whether what was looked at is another list than the last time: the same one proves nothing twice
 */
export function countMisses(
  before: ReadonlyMap<string, Miss>,
  missed: readonly string[],
  { nowMs, isNewList }: { readonly nowMs: number; readonly isNewList: boolean },
): ReadonlyMap<string, Miss> {
  return new Map(
    missed.map(block => {
      const { count, sinceMs } = before.get(block) ?? { count: 0, sinceMs: nowMs }
      return [block, { count: isNewList ? count + 1 : count, sinceMs }]
    }),
  )
}
