import type { Clock } from '../runtime/clock.ts'

/** How many questions the project may still ask: all who use it share that, and it fills up all the time. */
export interface RateBudget {
  /** Takes in what an answer says: RateLimit-Limit and RateLimit-Remaining. */
  learn(headers: Pick<Headers, 'get'>): void
  /** Milliseconds until so many questions leave enough for the others; 0 = now. */
  waitMs(questions: number): number
  /** After a refusal: until the next try makes sense. RateLimit-Reset is of no use: it is when the budget is full again. */
  refusedMs(): number
}

/** What is left to those who have to make servers and volumes. */
const reserve = 0.05
const hourMs = 3_600_000
const usualLimit = 3600
const leastWaitMs = 5_000
const mostWaitMs = 60_000

export function createRateBudget(clock: Clock, onRemaining: (remaining: number) => void): RateBudget {
  let known: { readonly remaining: number; readonly atMs: number } | undefined
  let limit = usualLimit
  let refusals = 0
  return {
    learn(headers) {
      const remaining = toCount(headers.get('ratelimit-remaining'))
      limit = toCount(headers.get('ratelimit-limit')) || limit
      if (remaining === undefined) return
      if (remaining > 0) refusals = 0
      known = { remaining, atMs: clock.monotonic() }
      onRemaining(remaining)
    },
    waitMs(questions) {
      if (known === undefined) return 0
      const filled = known.remaining + ((clock.monotonic() - known.atMs) * limit) / hourMs
      const lacks = questions + limit * reserve - filled
      return lacks <= 0 ? 0 : clamp((lacks * hourMs) / limit)
    },
    refusedMs() {
      refusals += 1
      return clamp(leastWaitMs * 2 ** (refusals - 1))
    },
  }
}

function clamp(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, leastWaitMs), mostWaitMs))
}

function toCount(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined
}
