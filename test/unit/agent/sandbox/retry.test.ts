import t from 'tap'
import { pause } from '../../../../agent/runtime/clock.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createSandboxRetry } from '../../../../agent/sandbox/retry.ts'
import { createFakeClock, type FakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

/** What the network does with an attempt. */
type Network = 'refuses' | 'hangs' | 'attaches'

/** A network that can be changed, an agent that is told when it attaches, and whether that was wanted. */
function start(first: Network, { slowMs = 100 } = {}) {
  const clock = createFakeClock()
  const seen = { attempts: 0, atOnce: 0, mostAtOnce: 0, attachedMs: [] as number[] }
  const state = { network: first, wanted: true }
  const retry = createSandboxRetry({
    wanted: () => state.wanted,
    async attach(limitMs, signal) {
      seen.attempts += 1
      seen.atOnce += 1
      seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce)
      const well = await attach(clock, limitMs, signal)
      seen.atOnce -= 1
      return well
    },
    onAttached: () => void seen.attachedMs.push(clock.monotonic()),
    clock,
  })
  const attach = async (clock: FakeClock, limitMs: number, signal: AbortSignal) => {
    const { network } = state
    await pause(clock, network === 'hangs' ? limitMs : Math.min(slowMs, limitMs), signal)
    return network === 'attaches' && slowMs <= limitMs
  }
  const loop = startLoop(retry, { clock, log: createRecordingLogger(), random: () => 0 })
  return { clock, seen, state, loop }
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    await clock.advance(100)
    await settle()
  }
}

for (const from of ['refuses', 'hangs'] as const) {
  t.test(`a network that ${from} and then attaches is seen in good time, whenever that is`, async t => {
    const late: number[] = []
    for (let afterMs = 30_000; afterMs < 32_000; afterMs += 100) {
      const { clock, seen, state, loop } = start(from)
      await pass(clock, afterMs)
      t.same(seen.attachedMs, [], 'nothing yet')
      state.network = 'attaches'
      await pass(clock, 5_000)
      late.push((seen.attachedMs[0] ?? Number.POSITIVE_INFINITY) - afterMs)
      t.ok(seen.mostAtOnce <= 2, 'never more than two at once')
      state.wanted = false
      await loop.stop()
    }
    // A verification, which follows, takes some 500 ms.
    t.ok(Math.max(...late) <= 900, `after ${Math.max(...late)} ms at most`)
  })
}

t.test('a network that needs seconds is seen as well', async t => {
  const { clock, seen, state, loop } = start('refuses', { slowMs: 4_000 })
  await pass(clock, 10_000)
  state.network = 'attaches'
  await pass(clock, 16_000)
  t.ok(seen.attachedMs.length > 0)
  state.wanted = false
  await pass(clock, 15_000)
  await loop.stop()
})

t.test('nobody wants it: nothing is tried, until somebody does', async t => {
  const { clock, seen, state, loop } = start('attaches')
  state.wanted = false
  await pass(clock, 1_000)
  const before = seen.attempts
  await pass(clock, 60_000)
  t.equal(seen.attempts, before)
  state.wanted = true
  loop.wake()
  await pass(clock, 200)
  t.equal(seen.attempts, before + 1)
  await loop.stop()
})

t.test('attached here, refused in the verification: those grow apart', async t => {
  const { clock, seen, loop } = start('attaches')
  for (let ms = 0; ms < 120_000; ms += 100) {
    // The verdict of each verification wakes it, and is as bad as before.
    loop.wake()
    await pass(clock, 100)
  }
  const gaps = seen.attachedMs.slice(1).map((ms, index) => ms - (seen.attachedMs[index] ?? 0))
  t.ok(seen.attachedMs.length <= 10, `${seen.attachedMs.length} verifications in two minutes`)
  t.same(
    gaps,
    gaps.toSorted((a, b) => a - b),
  )
  await loop.stop()
})

t.test('the end of the agent ends what hangs, and waits for it', async t => {
  const { clock, seen, loop } = start('hangs')
  await pass(clock, 3_000)
  t.ok(seen.atOnce > 0)
  await loop.stop()
  t.equal(seen.atOnce, 0)
  t.same(seen.attachedMs, [])
})
