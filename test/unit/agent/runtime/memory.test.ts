import t from 'tap'
import { keepMemorySmall } from '../../../../agent/runtime/memory.ts'
import { createFakeClock } from './fake-clock.ts'

interface MemoryCase {
  readonly name: string
  /** Seconds at which a busy moment ends. */
  readonly busy: readonly number[]
  readonly untilS: number
  /** Seconds at which memory is given back. */
  readonly want: readonly number[]
}

const cases: readonly MemoryCase[] = [
  { name: 'nothing is ever busy', busy: [], untilS: 250, want: [120, 240] },
  { name: 'soon after the start', busy: [2], untilS: 120, want: [3] },
  { name: 'after each verification', busy: [1, 31, 61, 91], untilS: 100, want: [2, 32, 62, 92] },
  { name: 'busy all the time', busy: Array.from({ length: 60 }, (_, s) => s), untilS: 60, want: [1, 26, 51] },
  { name: 'and then no more', busy: [1], untilS: 130, want: [2, 122] },
]

for (const { name, busy, untilS, want } of cases) {
  t.test(`memory is given back: ${name}`, async t => {
    const clock = createFakeClock()
    const seen: number[] = []
    const memory = keepMemorySmall(clock, () => seen.push(clock.monotonic() / 1000))
    for (const second of busy) {
      await clock.advance(second * 1000 - clock.monotonic())
      memory.rest()
    }
    await clock.advance(untilS * 1000 - clock.monotonic())
    memory.stop()
    await clock.advance(600_000)
    t.strictSame(seen, want)
  })
}

t.test('the real collector takes what nobody needs', async t => {
  const clock = createFakeClock()
  const memory = keepMemorySmall(clock)
  const gone = new WeakRef({})
  await new Promise(resolve => setImmediate(resolve))
  memory.rest()
  await clock.advance(1_000)
  await new Promise(resolve => setImmediate(resolve))
  memory.stop()
  t.equal(gone.deref(), undefined)
})
