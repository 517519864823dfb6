import { setTimeout as sleep } from 'node:timers/promises'

/** The awaited state did not come. */
class NeverHappened extends Error {
  override readonly name = 'NeverHappened'
  readonly code = 'NeverHappened'
}

interface UntilOptions {
  /** A minute unless told: who waits has time, and a machine with much to do needs it. */
  readonly limitMs?: number
  readonly everyMs?: number
  /** An error of the question is a no, as that of a server that is still starting. Else it ends the wait. */
  readonly despiteErrors?: boolean
}

/**
 * Waits for a state of the world and returns what the question answered.
 * @throws NeverHappened after the limit, with the last error as its cause
 */
export async function until<T>(
  what: string,
  question: () => T | false | undefined | Promise<T | false | undefined>,
  { limitMs = 60_000, everyMs = 50, despiteErrors = false }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      const answer = await question()
      if (answer !== false && answer !== undefined) return answer
    } catch (error) {
      if (!despiteErrors) throw error
      last = error
    }
    if (performance.now() > end) throw new NeverHappened(lateMessage(what, limitMs, last), { cause: last })
    await sleep(everyMs)
  }
}

function lateMessage(what: string, limitMs: number, last: unknown): string {
  const hint = last instanceof Error ? `; the last try said: ${last.message}` : ''
  return `waited ${limitMs / 1000} s for ${what}${hint}`
}
