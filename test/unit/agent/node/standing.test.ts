import t, { type Test } from 'tap'
import type { NodeContext } from '../../../../agent/node/context.ts'
import { keepStanding } from '../../../../agent/node/standing.ts'
import { createSharedValue } from '../../../../agent/runtime/shared-value.ts'
import type { StandingState } from '../../../../agent/sandbox/standing-duty.ts'
import type { CheckResult } from '../../../../agent/verdict/verdict.ts'
import type { TimedVerdict } from '../../../../agent/verify/status.ts'
import { settingsOf } from '../config/settings-of.ts'
import { nodeOf, ownLabel, ownTaint, verdictOf } from '../gate/samples.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

/** A node without a CNI network: whoever tries to attach a standing sandbox says that there is none. */
function bed(t: Test, open: boolean, ...failed: readonly CheckResult[]) {
  const clock = createFakeClock()
  const log = createRecordingLogger()
  const standing = createSharedValue<StandingState | undefined>(undefined)
  const conclude = (...checks: readonly CheckResult[]) => ({ verdict: verdictOf(...checks), timeMs: clock.now() })
  const verdict = createSharedValue<TimedVerdict | undefined>(conclude(...failed))
  const node = {
    settings: settingsOf({ NOPAL_INSTALL_CNI_CONF_DIR: t.testdir({}), NOPAL_INSTALL_ENABLED: 'false' }),
    ownNode: { current: () => nodeOf(open ? { labels: ownLabel, taints: [] } : { labels: {}, taints: [ownTaint] }) },
    ...{ log, standing, verdict, calm: createSharedValue(true), installed: createSharedValue(undefined) },
    status: { add: () => undefined },
    loop: { clock, log, random: () => 1 },
  } as unknown as NodeContext
  const running = keepStanding(node)
  t.teardown(() => running.stop())
  return { running, pass: () => verdict.set(conclude()), hasTried: () => standing.current() !== undefined }
}

const refused: CheckResult = {
  ...{ code: 'sandbox', from: 'sandbox', target: 'network lab', result: 'fail', reason: 'SandboxRefused' },
  ...{ message: 'no IP addresses available', seconds: 0.1 },
}

t.test('while a node is shut because no sandbox could be attached, the standing one takes nothing', async t => {
  const { running, hasTried } = bed(t, false, refused)
  await settle()
  await running.stop()
  t.equal(hasTried(), false)
})

t.test('once one could be attached, the standing one is', async t => {
  const { pass, hasTried } = bed(t, false, refused)
  await settle()
  pass()
  await t.resolves(settleUntil(hasTried))
})

t.test('an open node has one as soon as its network lets it', async t => {
  const { hasTried } = bed(t, true, refused)
  await t.resolves(settleUntil(hasTried))
})

/** What reads files ends when it does. */
async function settleUntil(done: () => boolean): Promise<void> {
  while (!done()) await settle()
}
