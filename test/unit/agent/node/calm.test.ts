import t from 'tap'
import { awaitCalm } from '../../../../agent/node/calm.ts'
import type { NodeContext } from '../../../../agent/node/context.ts'
import { createSharedValue } from '../../../../agent/runtime/shared-value.ts'
import type { TimedVerdict } from '../../../../agent/verify/status.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'

function bed() {
  const clock = createFakeClock()
  const calm = createSharedValue(false)
  const verdict = createSharedValue<TimedVerdict | undefined>(undefined)
  const running = awaitCalm({ calm, verdict, loop: { clock } } as unknown as NodeContext)
  const conclude = (passed: boolean) =>
    verdict.set({ verdict: { node: 'n1', passed, dryRun: false, seconds: 1, checks: [] }, timeMs: clock.now() })
  return { clock, calm, running, conclude }
}

for (const passed of [true, false]) {
  t.test(`the start is over some time after the first verdict, whatever it is (${passed})`, async t => {
    const { clock, calm, conclude } = bed()
    await clock.advance(1_000)
    conclude(passed)
    for (const _ of [1, 2]) {
      await clock.advance(1_000)
      conclude(passed)
    }
    t.equal(calm.current(), false)
    await clock.advance(500)
    t.equal(calm.current(), true, 'verdicts after it do not put it off')
  })
}

t.test('without a verdict it is over all the same', async t => {
  const { clock, calm } = bed()
  await clock.advance(9_999)
  t.equal(calm.current(), false)
  await clock.advance(1)
  t.equal(calm.current(), true)
})

t.test('an agent that ends leaves no timer', async t => {
  const { clock, conclude, running } = bed()
  conclude(true)
  await running.stop()
  t.equal(clock.nextMs(), undefined)
})
