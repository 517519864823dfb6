import { setTimeout as sleep } from 'node:timers/promises'

/** A state that had to come did not. */
export class WaitedInVain extends Error {
  override readonly name = 'WaitedInVain'
  readonly code = 'WaitedInVain'
}

/** What a wait is for and how long it may take. */
export interface WaitOptions {
  readonly what: string
  readonly limitMs: number
  readonly everyMs?: number
  /** Ends the wait with an error when it settles: the thing waited for cannot come any more. */
  readonly hopeless?: readonly Promise<string>[]
}

/** Asks again and again until `probe` gives something other than undefined and does not throw. */
export async function waitFor<T>(options: WaitOptions, probe: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + options.limitMs
  let lost: string | undefined
  for (const ended of options.hopeless ?? []) void ended.then(reason => (lost = reason))
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    if (lost !== undefined) throw new WaitedInVain(`${options.what}: ${lost}`, { cause: last })
    if (performance.now() > until) throw new WaitedInVain(timeoutMessage(options, last), { cause: last })
    await sleep(options.everyMs ?? 50)
  }
}

function timeoutMessage(options: WaitOptions, last: unknown): string {
  const hint = last instanceof Error ? `; the last try said: ${last.message}` : ''
  return `${options.what}: not so after ${options.limitMs / 1000} s${hint}`
}
