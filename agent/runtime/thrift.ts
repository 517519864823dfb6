import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from './clock.ts'

/** When the work of the start is over, and then now and then. */
const firstTrimMs = 5_000
const trimMs = 2 * 60_000

/**
 * Gives memory back. After its first busy seconds V8 keeps room for more of the same, a tenth of the process, and
 * returns it only under pressure. Returns what ends it.
 */
export function trimMemory(clock: Clock): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') return () => undefined
  const trim = () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    cancel = clock.after(trimMs, trim)
  }
  let cancel = clock.after(firstTrimMs, trim)
  return () => cancel()
}
