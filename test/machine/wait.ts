import { setTimeout as sleep } from 'node:timers/promises'

/** The awaited state did not come. */
class NeverHappened extends Error {
  override readonly name = 'NeverHappened'
  readonly code = 'NeverHappened'
}

export interface UntilOptions {
  readonly limitMs?: number
  readonly everyMs?: number
}

/** What a wait is for and how long it may take. */
export interface WaitOptions extends UntilOptions {
  readonly what: string
  readonly limitMs: number
  /** Ends the wait with an error when it settles: the thing waited for cannot come any more. */
  readonly hopeless?: readonly Promise<string>[]
}

/**
 * Waits for a state of the world and returns what the question answered.
 * An error of the question ends the wait: to go on in spite of one is for the question to decide.
 * @throws NeverHappened after the limit, 20 s unless told
 */
export function until<T>(
  what: string,
  question: () => T | false | undefined | Promise<T | false | undefined>,
  { limitMs = 20_000, everyMs = 50 }: UntilOptions = {},
): Promise<T> {
  const refuse = (error: unknown): never => {
    throw error
  }
  return poll({ what, limitMs, everyMs }, question, refuse)
}

/**
 * Waits for something that says no by an error, such as a server that is still starting.
 * @throws NeverHappened after the limit, with the last error as its cause
 */
export function waitFor<T>(options: WaitOptions, probe: () => Promise<T | undefined>): Promise<T> {
  return poll(options, probe, () => undefined)
}

async function poll<T>(
  { what, limitMs, everyMs = 50, hopeless = [] }: WaitOptions,
  question: () => T | false | undefined | Promise<T | false | undefined>,
  onError: (error: unknown) => void,
): Promise<T> {
  const end = performance.now() + limitMs
  let lost: string | undefined
  for (const ended of hopeless) void ended.then(reason => (lost = reason))
  let last: unknown
  for (;;) {
    try {
      const answer = await question()
      if (answer !== false && answer !== undefined) return answer
    } catch (error) {
      onError(error)
      last = error
    }
    if (lost !== undefined) throw new NeverHappened(`${what}: ${lost}`, { cause: last })
    if (performance.now() > end) throw new NeverHappened(lateMessage(what, limitMs, last), { cause: last })
    await sleep(everyMs)
  }
}

function lateMessage(what: string, limitMs: number, last: unknown): string {
  const hint = last instanceof Error ? `; the last try said: ${last.message}` : ''
  return `waited ${limitMs / 1000} s for ${what}${hint}`
}
