import t from 'tap'
import { KubeError, type KubeErrorCode } from '../../../../agent/kube/api.ts'
import { startWatch } from '../../../../agent/kube/watch.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

/** How long a node may go on without hearing of what happens to it. */
const promises = { silentMs: 150_000, cutMs: 15_000 } as const

/** What a stream does once it is open, or why it does not open. */
type StreamScript = 'silent' | 'cut' | 'ends' | KubeErrorCode

interface TimeCase {
  readonly name: string
  readonly first: StreamScript
  /** So often in a row, before one that goes well. */
  readonly times: number
  readonly withinMs: number
}

const cases: readonly TimeCase[] = [
  { name: 'silent', first: 'silent', times: 1, withinMs: promises.silentMs },
  { name: 'silent again and again', first: 'silent', times: 5, withinMs: promises.silentMs },
  { name: 'cut', first: 'cut', times: 1, withinMs: promises.cutMs },
  { name: 'ended', first: 'ends', times: 1, withinMs: promises.cutMs },
  { name: 'cut at once for an hour', first: 'cut', times: 500, withinMs: promises.cutMs },
  { name: 'its place is gone', first: 'Gone', times: 1, withinMs: promises.cutMs },
  { name: 'its place is gone for an hour', first: 'Gone', times: 500, withinMs: promises.cutMs },
  { name: 'refused for an hour', first: 'Unreachable', times: 500, withinMs: promises.cutMs },
  { name: 'the server is broken for an hour', first: 'ServerError', times: 500, withinMs: promises.cutMs },
]

const nothing = () => undefined

for (const { name, first, times, withinMs } of cases) {
  for (const random of [0, 0.999]) {
    t.test(`a watch is replaced in time: ${name}, chance ${random}`, async t => {
      const clock = createFakeClock()
      const openedMs: number[] = []
      const watch = startWatch({
        api: {
          server: 'https://192.0.2.1',
          request: async () => ({ metadata: { resourceVersion: '1' } }),
          async stream({ signal }) {
            openedMs.push(clock.monotonic())
            return open(openedMs.length <= times ? first : 'silent', signal)
          },
        },
        path: '/api/v1/nodes',
        query: {},
        sink: { begin: nothing, set: nothing, remove: nothing, end: nothing },
        log: createRecordingLogger(),
        clock,
        random: () => random,
      })
      await settle()
      while (openedMs.length <= times) {
        const before = openedMs.length
        await clock.advance(withinMs)
        if (openedMs.length === before) break
      }
      t.ok(openedMs.length > times, `opened ${openedMs.length} times`)
      const pauses = openedMs.slice(1).map((ms, index) => ms - (openedMs[index] ?? 0))
      t.ok(
        pauses.every(pause => pause <= withinMs),
        `never later than ${withinMs} ms: ${Math.max(...pauses)}`,
      )
      await watch.stop()
    })
  }
}

function open(script: StreamScript, signal: AbortSignal): AsyncIterable<string> {
  if (script === 'silent') return silence(signal)
  if (script === 'cut') return silence(AbortSignal.abort(new KubeError('Unreachable', 'cut')))
  if (script === 'ends') return silence(undefined)
  throw new KubeError(script, 'on purpose')
}

/** Says nothing until it is cut; without a signal it ends at once. */
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<string> {
  if (signal === undefined) return
  yield ''
  await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
