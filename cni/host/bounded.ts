/**
 * Works on items side by side, in order, at most so many at once. After a failure no further one is begun.
 * @throws the first failure, when all that were begun have ended
 */
export async function forEachBounded<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>) {
  const failures: unknown[] = []
  const queue = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of queue) {
      await work(item).catch(error => failures.push(error))
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
