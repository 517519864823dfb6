import { setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  readonly limitMs?: number
  readonly everyMs?: number
}

/** The awaited state did not come. */
export class NeverHappened extends Error {
  override readonly name = 'NeverHappened'
  readonly code = 'NeverHappened'
}

/**
 * Waits for a state of the world and returns what the question answered.
 * An error of the question ends the wait: to go on in spite of one is for the question to decide.
 * @throws NeverHappened after the limit
 */
export async function until<T>(
  what: string,
  question: () => T | false | undefined | Promise<T | false | undefined>,
  options: UntilOptions = {},
): Promise<T> {
  const limitMs = options.limitMs ?? 20_000
  const end = performance.now() + limitMs
  for (;;) {
    const answer = await question()
    if (answer !== false && answer !== undefined) return answer
    if (performance.now() > end) throw new NeverHappened(`waited ${limitMs / 1000} s for ${what}`)
    await sleep(options.everyMs ?? 50)
  }
}
