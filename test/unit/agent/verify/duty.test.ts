import t from 'tap'
import type { Verdict } from '../../../../agent/verdict/verdict.ts'
import { createVerifyDuty } from '../../../../agent/verify/duty.ts'

t.test('the duty hands over each verdict, backs off for ever and starts afresh after a success', async t => {
  const outcomes = [false, false, true, true, false]
  const verdicts: boolean[] = []
  const retries: number[] = []
  let runs = 0
  const duty = createVerifyDuty({
    settings: { intervalMs: 77_000, maxRetries: 5, retryBackoff: 'exponential' },
    run: async () => verdict(outcomes[runs++] ?? false),
    onVerdict: ({ passed }) => verdicts.push(passed),
    onRetry: failures => retries.push(failures),
  })
  const waits: (number | undefined)[] = []
  for (const _ of outcomes) waits.push(await duty.reconcile(new AbortController().signal))
  t.strictSame(verdicts, outcomes)
  t.strictSame(waits, [1000, 2000, 77_000, 77_000, 1000])
  t.strictSame(retries, [1, 2])
})

t.test(
  'a verdict that was doubted while it ran is handed to nobody, counts as no failure, and is asked for anew',
  async t => {
    const outcomes = [verdict(false), undefined, verdict(false)]
    const seen: Verdict[] = []
    const duty = createVerifyDuty({
      settings: { intervalMs: 77_000, maxRetries: 5, retryBackoff: 'exponential' },
      run: async () => outcomes.shift(),
      onVerdict: each => seen.push(each),
    })
    const waits: (number | undefined)[] = []
    for (const _ of [1, 2, 3]) waits.push(await duty.reconcile(new AbortController().signal))
    t.strictSame(waits, [1000, 0, 2000])
    t.equal(seen.length, 2)
  },
)

t.test('the duty hands over nothing of a run that was called off', async t => {
  const seen: Verdict[] = []
  const duty = createVerifyDuty({
    settings: { intervalMs: 1, maxRetries: 5, retryBackoff: 'linear' },
    run: async () => Promise.reject(new Error('the agent ends')),
    onVerdict: each => seen.push(each),
  })
  await t.rejects(duty.reconcile(new AbortController().signal), { message: 'the agent ends' })
  t.strictSame(seen, [])
})

function verdict(passed: boolean): Verdict {
  return { node: 'n1', passed, dryRun: false, seconds: 0, checks: [] }
}
