import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { forEachBounded } from '../../../../cni/host/bounded.ts'

const items = [1, 2, 3, 4, 5, 6, 7, 8]

interface WidthCase {
  readonly width: number
  readonly items: readonly number[]
  readonly most: number
}

const cases: readonly WidthCase[] = [
  { width: 1, items, most: 1 },
  { width: 3, items, most: 3 },
  { width: 100, items, most: 8 },
  { width: 4, items: [], most: 0 },
]

for (const { width, items, most } of cases) {
  t.test(`${items.length} items, ${width} at once`, async t => {
    const begun: number[] = []
    let active = 0
    let peak = 0
    await forEachBounded(items, width, async item => {
      begun.push(item)
      peak = Math.max(peak, ++active)
      await setImmediate()
      active--
    })
    t.strictSame(begun, items, 'in order, each once')
    t.equal(peak, most)
  })
}

t.test('after a failure no further one is begun, and those that were are waited for', async t => {
  const begun: number[] = []
  const ended: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    if (item === 1) throw new Error('first')
    await setImmediate()
    if (item === 2) throw new Error('second')
    ended.push(item)
  }
  await t.rejects(forEachBounded(items, 3, work), { message: 'first' })
  t.strictSame(begun, [1, 2, 3])
  t.strictSame(ended, [3])
})
