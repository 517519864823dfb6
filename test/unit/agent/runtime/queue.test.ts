import t, { type Test } from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { type Queue, type QueueOptions, startQueue } from '../../../../agent/runtime/queue.ts'
import { createFakeClock, type FakeClock, settle } from './fake-clock.ts'
import { createRecordingLogger } from './recording-logger.ts'

type Work = QueueOptions['work']

/** A queue that tells the order of its steps: `+a` begun, `-a` ended. */
function start(work: Work, more: Partial<QueueOptions> = {}) {
  const clock = createFakeClock()
  const log = createRecordingLogger()
  const steps: string[] = []
  const turns: string[] = []
  const queue = startQueue({
    async work(key, signal) {
      steps.push(`+${key}`)
      try {
        return await work(key, signal)
      } finally {
        steps.push(`-${key}`)
      }
    },
    width: 2,
    backoff: { leastMs: 100, mostMs: 1_000 },
    clock,
    random: () => 1,
    log,
    fields: key => ({ key }),
    onTurn: (key, works) => void turns.push(`${key} ${works}`),
    ...more,
  })
  return { queue, clock, log, steps, turns }
}

/** Steps that end when the test says so. */
function gated() {
  const open: { key: string; resolve: () => void }[] = []
  const work: Work = (key, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      open.push({ key, resolve: () => resolve(undefined) })
    })
  const finish = async (clock: FakeClock, key: string) => {
    const at = open.findIndex(each => each.key === key)
    open.splice(at, 1)[0]?.resolve()
    await settle()
    await clock.advance(0)
  }
  return { work, finish }
}

const nothing: Work = async () => undefined

t.test('nothing is worked on before it is added', async t => {
  const { queue, clock, steps } = start(nothing)
  await settle()
  t.same(steps, [])
  queue.add('a')
  await settle()
  t.same(steps, ['+a', '-a'])
  t.equal(clock.nextMs(), undefined, 'and once only')
})

t.test('one key is never at work twice; what was added meanwhile is one more step', async t => {
  const { work, finish } = gated()
  const { queue, clock, steps } = start(work)
  for (let i = 0; i < 5; i++) queue.add('a')
  await settle()
  for (let i = 0; i < 5; i++) queue.add('a')
  await settle()
  t.same(steps, ['+a'])
  await finish(clock, 'a')
  t.same(steps, ['+a', '-a', '+a'])
  await finish(clock, 'a')
  await clock.advance(10_000)
  t.same(steps, ['+a', '-a', '+a', '-a'])
})

t.test('a step that adds its own key before it waits for anything is not at work twice', async t => {
  let queue: Queue | undefined
  let left = 3
  const started = start(key => {
    if (--left > 0) queue?.add(key)
    return settle().then(() => undefined)
  })
  queue = started.queue
  queue.add('a')
  for (let i = 0; i < 10; i++) {
    await settle()
    await started.clock.advance(0)
  }
  t.same(started.steps, ['+a', '-a', '+a', '-a', '+a', '-a'])
})

t.test('so many keys side by side and no more, in the order they came', async t => {
  const { work, finish } = gated()
  const { queue, clock, steps } = start(work, { width: 2 })
  for (const key of ['a', 'b', 'c', 'd', 'c']) queue.add(key)
  await settle()
  t.same(steps, ['+a', '+b'])
  await finish(clock, 'b')
  t.same(steps, ['+a', '+b', '-b', '+c'])
  await finish(clock, 'a')
  t.same(steps.at(-1), '+d')
})

t.test('a key that is added again and again comes after those that wait', async t => {
  let queue: Queue | undefined
  let left = 2
  const started = start(
    async key => {
      if (key === 'busy' && --left > 0) queue?.add('busy')
      return undefined
    },
    { width: 1 },
  )
  queue = started.queue
  for (const key of ['busy', 'a', 'b', 'c']) queue.add(key)
  await settle()
  t.same(started.steps.slice(0, 8), ['+busy', '-busy', '+a', '-a', '+b', '-b', '+c', '-c'])
  await started.clock.advance(0)
  t.same(started.steps.slice(8), ['+busy', '-busy'])
})

t.test('a key that always fails waits longer and longer, up to the bound, and delays no other', async t => {
  const { queue, clock, steps, log } = start(
    async key => {
      if (key === 'bad') throw new Error('no luck')
      return undefined
    },
    { width: 1 },
  )
  queue.add('bad')
  await settle()
  const waits: (number | undefined)[] = []
  for (let i = 0; i < 6; i++) {
    waits.push(clock.nextMs())
    const before = steps.length
    queue.add(`good${i}`)
    await settle()
    t.same(steps.slice(before), [`+good${i}`, `-good${i}`], 'while the bad one waits')
    await clock.advance(clock.nextMs() ?? 0)
  }
  t.same(waits, [100, 200, 400, 800, 1_000, 1_000])
  t.same(log.lines[0]?.slice(0, 2), ['error', 'failed, will try again'])
  t.match(log.lines[0]?.[2], { key: 'bad', failures: 1, waitMs: 100, err: { message: 'no luck' } })
  t.equal(log.lines.length, 7, 'each failure once')
})

t.test('each key has a count of failures of its own, forgotten after a success', async t => {
  const failures = new Map([
    ['a', 2],
    ['b', 1],
  ])
  const { queue, clock, turns } = start(async key => {
    const left = failures.get(key) ?? 0
    failures.set(key, left - 1)
    if (left > 0) throw new Error('no luck')
    return undefined
  })
  queue.add('a')
  queue.add('b')
  await settle()
  await clock.advance(5_000)
  t.same(turns, ['a false', 'b false', 'a false', 'b true', 'a true'])
  failures.set('a', 1)
  queue.add('a')
  await settle()
  t.equal(clock.nextMs(), 100, 'it begins anew')
})

t.test('adding a key that failed cuts its wait to the shortest one, however often', async t => {
  const { queue, clock, steps } = start(() => Promise.reject(new Error('no luck')))
  queue.add('a')
  await settle()
  await clock.advance(100)
  await clock.advance(200)
  t.equal(clock.nextMs(), 400)
  for (let i = 0; i < 5; i++) queue.add('a')
  t.equal(clock.nextMs(), 100)
  t.equal(steps.length, 6)
})

t.test('what the server asked to wait is waited, and not cut short', async t => {
  const { queue, clock } = start(() => Promise.reject(new KubeError('Throttled', 'slow down', { retryAfterMs: 700 })))
  queue.add('a')
  await settle()
  queue.add('a')
  t.equal(clock.nextMs(), 700)
})

t.test('a step says when its key is due again; adding it is sooner and forgets that', async t => {
  const { queue, clock, steps } = start(async () => 1_000)
  queue.add('a')
  await settle()
  t.equal(clock.nextMs(), 1_000)
  await clock.advance(900)
  queue.add('a')
  await settle()
  t.equal(steps.length, 4)
  t.equal(clock.nextMs(), 1_000)
})

t.test('a key that hangs is cut after the limit, and fails', async t => {
  const { work } = gated()
  const { queue, clock, steps, log } = start(
    (key, signal) => (key === 'stuck' ? work(key, signal) : nothing(key, signal)),
    {
      width: 1,
      limitMs: 5_000,
    },
  )
  queue.add('stuck')
  queue.add('a')
  await settle()
  await clock.advance(4_999)
  t.same(steps, ['+stuck'])
  await clock.advance(1)
  t.same(steps, ['+stuck', '-stuck', '+a', '-a'])
  t.match(log.lines, [['error', 'failed, will try again', { key: 'stuck', err: { code: 'TimedOut' } }]])
})

t.test('a key that hangs delays no other while there is room', async t => {
  const { work } = gated()
  const { queue, steps } = start((key, signal) => (key === 'stuck' ? work(key, signal) : nothing(key, signal)))
  for (const key of ['stuck', 'a', 'b', 'stuck']) queue.add(key)
  await settle()
  t.same(steps, ['+stuck', '+a', '-a', '+b', '-b'])
})

t.test('stop aborts what is at work, waits for it, and begins nothing more', async t => {
  let ended = 0
  const { queue, clock, steps, log } = start(
    (_, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          setImmediate(() => {
            ended += 1
            reject(signal.reason)
          })
        })
      }),
  )
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await settle()
  await queue.stop()
  t.equal(ended, 2)
  queue.add('d')
  await clock.advance(100_000)
  t.same(steps, ['+a', '+b', '-a', '-b'])
  t.same(log.lines, [], 'an end that was asked for is no failure')
  t.equal(clock.nextMs(), undefined, 'no timer is left')
})

for (const seed of [1, 2, 3, 4, 5]) {
  t.test(`any mixture of keys, times and failures, seed ${seed}`, async t => checkMixture(t, seed))
}

/** Adds keys at random moments to steps that last, fail and add keys at random. */
async function checkMixture(t: Test, seed: number): Promise<void> {
  const random = randomFrom(seed)
  const width = 1 + Math.floor(random() * 4)
  const atWork = new Set<string>()
  /** Keys that were added and whose step has not begun since. */
  const owed = new Set<string>()
  let faults = 0
  let calm = false
  const { queue, clock } = start(
    async (key, signal) => {
      owed.delete(key)
      if (atWork.has(key) || atWork.size >= width) faults += 1
      atWork.add(key)
      await new Promise<void>(resolve => {
        clock.after(random() * 50, resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      atWork.delete(key)
      if (!calm && random() < 0.3) throw new Error('no luck')
      return !calm && random() < 0.1 ? random() * 500 : undefined
    },
    { width, random },
  )
  for (let i = 0; i < 2_000; i++) {
    const key = `k${Math.floor(random() * 12)}`
    owed.add(key)
    queue.add(key)
    await clock.advance(random() * 20)
  }
  calm = true
  await clock.advance(60_000)
  t.equal(faults, 0, 'never twice at work, never more than the width')
  t.same([...owed], [], 'whatever was added was worked on afterwards')
  t.equal(clock.nextMs(), undefined, 'then it rests')
  await queue.stop()
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}
