import t from 'tap'
import { findEnding } from '../../../../agent/install/find-ending.ts'
import type { Look, Standing } from '../../../../agent/install/taken-away.ts'
import type { Clock } from '../../../../agent/runtime/clock.ts'

const all = (standing: Standing): Look => ({
  namespace: standing,
  daemonSet: standing,
  node: standing,
  kactus: standing,
})
const there = all('there')
const gone: Look = { ...there, daemonSet: 'gone' }
const [unknown, away, refused] = [all('unknownAccount'), all('noAnswer'), all('forbidden')]

interface Case {
  readonly name: string
  /** One after the other; the last one stays. */
  readonly looks: readonly Look[]
  readonly ending: 'restarted' | 'takenAway' | 'unclear'
  /** Longest that it may take, in seconds on the clock of the test. */
  readonly withinS: number
  readonly asked?: number
}

const cases: readonly Case[] = [
  { name: 'a rollout is seen at once', looks: [there], ending: 'restarted', withinS: 0, asked: 1 },
  {
    name: 'so is a namespace that is going',
    looks: [{ ...there, namespace: 'going' }],
    ending: 'takenAway',
    withinS: 0,
    asked: 1,
  },
  { name: 'a DaemonSet that is gone must stay gone', looks: [gone], ending: 'takenAway', withinS: 2, asked: 3 },
  { name: 'one that is replaced by force comes back', looks: [gone, gone, there], ending: 'restarted', withinS: 2 },
  { name: 'accounts that are unknown must stay unknown', looks: [unknown], ending: 'takenAway', withinS: 3, asked: 4 },
  {
    name: 'a server that starts up refuses everybody for a while',
    looks: [unknown, away, unknown, there],
    ending: 'restarted',
    withinS: 3,
  },
  {
    name: 'what is interrupted is counted anew',
    looks: [gone, gone, away, gone, gone, there],
    ending: 'restarted',
    withinS: 5,
  },
  { name: 'a server that is away costs no time', looks: [away], ending: 'unclear', withinS: 2 },
  {
    name: 'rights go first, accounts later',
    looks: [...Array(8).fill(refused), unknown],
    ending: 'takenAway',
    withinS: 12,
  },
  {
    name: 'one account goes before the other',
    looks: [...Array(10).fill({ ...unknown, kactus: 'forbidden' }), unknown],
    ending: 'takenAway',
    withinS: 14,
  },
  { name: 'rights that are gone alone', looks: [refused], ending: 'unclear', withinS: 18 },
]

for (const { name, looks, ending, withinS, asked } of cases) {
  t.test(`why an agent is told to end: ${name}`, async t => {
    let calls = 0
    const clock = instantClock()
    const look = async () => looks[Math.min(calls++, looks.length - 1)] ?? away
    t.equal((await findEnding({ look, nodeSeen: true, clock })).kind, ending)
    t.ok(clock.monotonic() <= withinS * 1000, `${clock.monotonic()} ms`)
    if (asked !== undefined) t.equal(calls, asked)
  })
}

/** Whoever waits on it has waited. */
function instantClock(): Clock {
  let nowMs = 0
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    after(delayMs, run) {
      nowMs += delayMs
      queueMicrotask(run)
      return () => undefined
    },
  }
}
