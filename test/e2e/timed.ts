import type { Test } from 'tap'

/** Does one step and tells how long it took; no test asks for a time. */
export async function timed<T>(t: Test, what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  try {
    return await work()
  } finally {
    t.comment(`${((performance.now() - start) / 1000).toFixed(1)} s  ${what}`)
  }
}
