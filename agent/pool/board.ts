import type { StatusSection } from '../report/status.ts'
import { describeLook } from './document.ts'
import type { PoolLook } from './sync.ts'

/** What the newest look has found, for all who ask. */
export interface PoolBoard {
  show(look: PoolLook): void
  /** The pool could not be looked at or written. */
  fail(why: string): void
  /** Another leads. */
  clear(): void
  readonly section: StatusSection
}

export function createPoolBoard(pool: string): PoolBoard {
  let look: PoolLook | undefined
  let failure: string | undefined
  const problems = () => [...(failure === undefined ? [] : [failure]), ...(look?.problems ?? [])]
  return {
    show(newest) {
      look = newest
      failure = undefined
    },
    fail(why) {
      failure = why
    },
    clear() {
      look = undefined
      failure = undefined
    },
    section: {
      json: () => ({ pool: look === undefined ? null : describeLook(pool, look) }),
      facts() {
        if (look === undefined) return []
        const counts = `${look.live?.blocks.length ?? 0} addresses, ${look.plan?.held.length ?? 0} changes held back`
        return [{ name: `pool ${pool}`, text: counts }]
      },
      // As Canada Kaktus has it: not well while the last pass was not. Nobody is restarted for it.
      problems: () => problems().map(problem => `pool: ${problem}`),
    },
  }
}
