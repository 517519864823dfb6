/** Notices when somebody else puts the blocks back each time we have written them. */
export interface Fight {
  /** What was written. */
  wrote(blocks: string): void
  /** What the pool has now; undefined = there is none any more. */
  saw(blocks: string | undefined, nowMs: number): void
  /** Whether we are to leave it alone. */
  isOn(nowMs: number): boolean
}

/** Once may be a hand; twice is a program, and it will do it again. */
const reverts = 2
/** For so long nothing is written after that; then it is tried anew. */
const truceMs = 3_600_000

export function createFight(): Fight {
  let written: string | undefined
  let revertedMs: readonly number[] = []
  return {
    wrote(blocks) {
      written = blocks
    },
    saw(blocks, nowMs) {
      if (written === undefined || blocks === written) return
      revertedMs = [...revertedMs, nowMs]
      written = undefined
    },
    isOn(nowMs) {
      revertedMs = revertedMs.filter(atMs => nowMs - atMs < truceMs)
      return revertedMs.length >= reverts
    },
  }
}
