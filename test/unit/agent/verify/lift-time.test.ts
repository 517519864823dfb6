import t from 'tap'
import { pause } from '../../../../agent/runtime/clock.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createVerifyDuty } from '../../../../agent/verify/duty.ts'
import { load } from '../config/given.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

/** What users are promised at the default settings: from the end of a fault to the verdict that lifts. */
const promisedMs = 50_000
/** Making a sandbox and taking it away, beside the limit of what is asked from it. */
const aroundMs = 3_000
const wellMs = 2_000

const { verify } = load({}).settings

for (const retryBackoff of ['exponential', 'linear'] as const) {
  t.test(`a node is verified within ${promisedMs / 1000} s of its fault's end: ${retryBackoff}`, async t => {
    const waits: number[] = []
    for (let faultMs = 0; faultMs < 600_000; faultMs += 7_300) {
      waits.push((await verifiedAfter(faultMs, { ...verify, retryBackoff })) - faultMs)
    }
    t.ok(Math.max(...waits) <= promisedMs, `${Math.max(...waits)} ms at the most`)
    t.ok(Math.max(...waits) > wellMs, 'some faults end while nobody looks')
  })
}

/** When a node whose fault lasts so long from the agent's start has its first good verdict. */
async function verifiedAfter(faultMs: number, settings: typeof verify): Promise<number> {
  const clock = createFakeClock()
  let passedMs: number | undefined
  const duty = createVerifyDuty({
    settings,
    async run(signal) {
      // A run that has begun in the fault sees nothing of its end: the worst there is.
      const passed = clock.monotonic() >= faultMs
      await pause(clock, passed ? wellMs : settings.checkTimeoutMs + aroundMs, signal)
      return { node: 'n1', passed, dryRun: false, seconds: 0, checks: [] }
    },
    onVerdict({ passed }) {
      if (passed) passedMs ??= clock.monotonic()
    },
  })
  const loop = startLoop(duty, { clock, log: createRecordingLogger(), random: () => 0.999 })
  while (passedMs === undefined && clock.monotonic() < faultMs + 10 * promisedMs) await clock.advance(1_000)
  await loop.stop()
  return passedMs ?? Number.POSITIVE_INFINITY
}
