import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { startLoop } from '../../../../agent/runtime/loop.ts'
import { createFakeClock, settle } from './fake-clock.ts'
import { createRecordingLogger } from './recording-logger.ts'

type Step = (signal: AbortSignal) => Promise<number | undefined>

/** A loop over a duty that does the given steps in turn, the last one for ever. */
function start(...steps: readonly Step[]) {
  const clock = createFakeClock()
  const log = createRecordingLogger()
  const seen = { runs: 0, atOnce: 0, mostAtOnce: 0 }
  const turns: boolean[] = []
  const reconcile = async (signal: AbortSignal) => {
    const step = steps[Math.min(seen.runs, steps.length - 1)]
    seen.runs += 1
    seen.atOnce += 1
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce)
    try {
      return await step?.(signal)
    } finally {
      seen.atOnce -= 1
    }
  }
  const loop = startLoop(
    { name: 'test', reconcile },
    {
      log,
      clock,
      random: () => 1,
      onTurn: (_, works) => void turns.push(works),
    },
  )
  return { loop, clock, log, seen, turns }
}

const fail: Step = async () => {
  throw new Error('no luck')
}

t.test('runs at once and again when the duty asks', async t => {
  const { clock, seen } = start(async () => 1000)
  await settle()
  t.equal(seen.runs, 1)
  t.equal(clock.nextMs(), 1000)
  await clock.advance(3000)
  t.equal(seen.runs, 4)
})

t.test('a duty that asks for nothing runs only when woken', async t => {
  const { loop, clock, seen } = start(async () => undefined)
  await settle()
  t.equal(clock.nextMs(), undefined)
  loop.wake()
  await settle()
  t.equal(seen.runs, 2)
})

t.test('waking forgets the timer that was set', async t => {
  const { loop, clock, seen } = start(async () => 1000)
  await settle()
  await clock.advance(900)
  loop.wake()
  await settle()
  await clock.advance(200)
  t.equal(seen.runs, 2, 'the old timer would have made it three')
})

t.test('many wakes during a run make one more run, never two at once', async t => {
  const gate = Promise.withResolvers<undefined>()
  const { loop, clock, seen } = start(
    () => gate.promise,
    async () => undefined,
  )
  await settle()
  for (let i = 0; i < 5; i++) loop.wake()
  t.equal(seen.runs, 1)
  gate.resolve(undefined)
  await settle()
  await clock.advance(0)
  t.equal(seen.runs, 2)
  t.equal(seen.mostAtOnce, 1)
})

t.test('failures back off, are logged once each, and are forgotten after a success', async t => {
  const { clock, log, seen } = start(fail, fail, fail, fail, fail, fail, fail, fail, async () => undefined)
  const waits: (number | undefined)[] = []
  await settle()
  for (let i = 0; i < 8; i++) {
    waits.push(clock.nextMs())
    await clock.advance(clock.nextMs() ?? 0)
  }
  t.same(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  t.equal(seen.runs, 9)
  t.same(
    log.lines.map(([level, message]) => `${level} ${message}`),
    [...Array(8).fill('error failed, will try again'), 'info works again'],
  )
})

t.test('each failed run is told, and the first good one after them', async t => {
  const { clock, turns } = start(fail, fail, async () => 1000)
  await settle()
  await clock.advance(20_000)
  t.strictSame(turns, [false, false, true])
})

t.test('however often it is woken, a failing duty runs no more than twice a second', async t => {
  const { loop, clock, seen } = start(fail)
  await settle()
  await clock.advance(500)
  await clock.advance(1000)
  t.equal(seen.runs, 3)
  t.equal(clock.nextMs(), 2000)
  for (let i = 0; i < 5; i++) loop.wake()
  t.equal(clock.nextMs(), 500)
  await clock.advance(500)
  t.equal(seen.runs, 4)
})

t.test('a wake does not cut short what the server asked for', async t => {
  const { loop, clock } = start(async () => {
    throw new KubeError('Throttled', 'slow down', { status: 429, retryAfterMs: 7000 })
  })
  await settle()
  loop.wake()
  t.equal(clock.nextMs(), 7000)
})

interface RetryAfterCase {
  readonly name: string
  readonly askedMs: number
  readonly wantMs: number
}

const retryAfterCases: readonly RetryAfterCase[] = [
  { name: 'the server asks for more than the backoff', askedMs: 7000, wantMs: 7000 },
  { name: 'the server asks for less', askedMs: 100, wantMs: 500 },
  { name: 'the server asks for an hour: a fault that ends must be seen', askedMs: 3_600_000, wantMs: 30_000 },
  { name: 'nonsense', askedMs: -5, wantMs: 500 },
]

for (const row of retryAfterCases) {
  t.test(row.name, async t => {
    const { clock } = start(async () => {
      throw new KubeError('Throttled', 'slow down', { status: 429, retryAfterMs: row.askedMs })
    })
    await settle()
    t.equal(clock.nextMs(), row.wantMs)
  })
}

t.test('stop aborts the run, waits for it, and nothing runs after', async t => {
  const ended: string[] = []
  const { loop, clock, log, seen } = start(
    signal =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push('aborted')
          reject(signal.reason)
        })
      }),
  )
  await settle()
  await loop.stop()
  t.same(ended, ['aborted'])
  loop.wake()
  await clock.advance(100_000)
  t.equal(seen.runs, 1)
  t.same(log.lines, [], 'an abort is no failure')
})

t.test('a duty may wake itself, and is closed after its last run', async t => {
  const clock = createFakeClock()
  const said: string[] = []
  let runs = 0
  const loop = startLoop(
    wake => ({
      name: 'test',
      async reconcile() {
        runs += 1
        said.push(`run ${runs}`)
        if (runs === 1) wake()
        return undefined
      },
      close: async () => void said.push('closed'),
    }),
    { log: createRecordingLogger(), clock, random: () => 1 },
  )
  await settle()
  await clock.advance(0)
  t.strictSame(said, ['run 1', 'run 2'])
  await loop.stop()
  t.strictSame(said, ['run 1', 'run 2', 'closed'])
})
