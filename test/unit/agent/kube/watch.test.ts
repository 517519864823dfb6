import t, { type Test } from 'tap'
import * as v from 'valibot'
import { type Informer, type InformerOptions, startInformer } from '../../../../agent/kube/informer.ts'
import { type Clock, systemClock } from '../../../../agent/runtime/clock.ts'
import { createRecordingLogger, type RecordingLogger } from '../runtime/recording-logger.ts'
import {
  bookmark,
  errorLine,
  event,
  item,
  list,
  refuse,
  type Script,
  type ScriptedApi,
  startScriptedApi,
  stream,
} from './scripted-api.ts'
import { clientFor } from './test-server.ts'

const shape = v.object({ value: v.number() })

interface Running {
  readonly api: ScriptedApi
  readonly watch: Informer<number>
  readonly log: RecordingLogger
  /** Each state that was told, as text: `a=1 b=2`. */
  readonly states: readonly string[]
  /** Whether the watch called itself live at each of them. */
  readonly lives: readonly boolean[]
  /** Resolves when a state like this has been told. */
  until(state: string): Promise<void>
  /** Resolves when that many watches have been asked for. */
  untilWatches(count: number): Promise<void>
}

/** So long a stream may say nothing at least. */
const idleMs = 120_000
/**
 * Waits are a thousand times shorter than they are in earnest, but for that for a stream that says nothing: it is short only
 * where a row is about it, as a busy machine may be silent for a tenth of a second.
 */
function hasty(isIdleShort: boolean): Clock {
  const idleScale = isIdleShort ? 100 : 1
  return { ...systemClock, after: (ms, run) => systemClock.after(ms / (ms < idleMs ? 1000 : idleScale), run) }
}

type Manner = Pick<InformerOptions<number>, 'begins' | 'optional'> & { readonly isIdleShort?: boolean }

async function start(
  t: Test,
  lists: readonly Script[],
  watches: readonly Script[],
  { isIdleShort = false, ...manner }: Manner = {},
): Promise<Running> {
  const api = await startScriptedApi(t, { lists, watches })
  const log = createRecordingLogger()
  const states: string[] = []
  const lives: boolean[] = []
  const watch = startInformer({
    api: clientFor(t, api.url),
    path: '/api/v1/things',
    query: { fieldSelector: 'metadata.name=a' },
    parse: body => {
      const result = v.safeParse(shape, body)
      return result.success ? result.output.value : undefined
    },
    log,
    clock: hasty(isIdleShort),
    random: Math.random,
    ...manner,
  })
  const known = new Map<string, number>()
  watch.subscribe(changes => {
    for (const { key, before, after } of changes) {
      t.equal(before, known.get(key), 'what it was before')
      if (after === undefined) known.delete(key)
      else known.set(key, after)
      t.equal(watch.get(key), after, 'known by then')
    }
    lives.push(watch.live())
    states.push([...known].map(([key, value]) => `${key}=${value}`).join(' '))
  })
  t.teardown(() => watch.stop())
  const poll = async (done: () => boolean) => {
    while (!done()) await new Promise(resolve => setTimeout(resolve, 2))
  }
  return {
    api,
    watch,
    log,
    states,
    lives,
    until: state => poll(() => states.includes(state)),
    untilWatches: count => poll(() => api.seen.filter(each => each.kind === 'watch').length >= count),
  }
}

const watchesOf = (api: ScriptedApi) => api.seen.filter(each => each.kind === 'watch').map(each => each.resourceVersion)
const listsOf = (api: ScriptedApi) => api.seen.filter(each => each.kind === 'list').map(each => each.resourceVersion)

t.test('a list, then changes', async t => {
  const changes =
    event('MODIFIED', item('a', '11', 2)) + event('ADDED', item('b', '12', 3)) + event('DELETED', item('a', '13', 2))
  const running = await start(t, [list('10', item('a', '5', 1))], [stream(changes, 'silence')])
  await running.until('b=3')
  t.same(running.states, ['a=1', 'a=2', 'a=2 b=3', 'b=3'])
  const [first, second] = running.api.seen
  t.equal(first?.query.get('fieldSelector'), 'metadata.name=a')
  t.equal(first?.resourceVersion, undefined, 'with 0 a server would ignore the limit and send everything at once')
  t.equal(first?.query.get('limit'), '500')
  t.equal(second?.resourceVersion, '10')
  t.equal(second?.query.get('allowWatchBookmarks'), 'true')
  t.ok(Number(second?.query.get('timeoutSeconds')) >= 300)
})

t.test('a list of several pages', async t => {
  const page: Script = response => {
    response.end(JSON.stringify({ metadata: { resourceVersion: '9', continue: 'more' }, items: [item('a', '1', 1)] }))
  }
  const running = await start(t, [page, list('10', item('b', '2', 2))], [stream('', 'silence')])
  await running.until('a=1 b=2')
  t.equal(running.api.seen[1]?.query.get('continue'), 'more')
})

t.test('an empty list with null for its items', async t => {
  const running = await start(
    t,
    [
      response => {
        response.end('{"metadata":{"resourceVersion":"1"},"items":null}')
      },
    ],
    [stream('', 'silence')],
  )
  await running.until('')
  t.same(running.states, [''])
})

interface ResumeCase {
  readonly name: string
  readonly first: Script
  /** Where the second watch starts. */
  readonly from: string
  readonly lists: number
}

const change = event('MODIFIED', item('a', '11', 2))
const resumeCases: readonly ResumeCase[] = [
  { name: 'ended in order', first: stream(change, 'end'), from: '11', lists: 1 },
  { name: 'cut', first: stream(change, 'cut'), from: '11', lists: 1 },
  { name: 'cut in the middle of a line', first: stream(change + change.slice(0, 20), 'cut'), from: '11', lists: 1 },
  { name: 'silent', first: stream(change, 'silence'), from: '20', lists: 2 },
  { name: 'a bookmark moves the place', first: stream(change + bookmark('99'), 'cut'), from: '99', lists: 1 },
  { name: 'a line that is no JSON', first: stream(`${change}{nonsense\n`, 'silence'), from: '11', lists: 1 },
  {
    name: 'an event of a kind nobody knows',
    first: stream(`${change}{"type":"LATER","object":{}}\n`, 'silence'),
    from: '11',
    lists: 1,
  },
  { name: 'an internal error within the stream', first: stream(change + errorLine(500), 'end'), from: '11', lists: 1 },
  { name: 'refused', first: refuse(503), from: '10', lists: 1 },
  { name: 'throttled', first: refuse(429), from: '10', lists: 1 },
  { name: 'gone at the start', first: refuse(410), from: '20', lists: 2 },
  { name: 'gone within the stream', first: stream(change + errorLine(410), 'end'), from: '20', lists: 2 },
]

for (const row of resumeCases) {
  t.test(`mended: ${row.name}`, async t => {
    const last = stream(event('MODIFIED', item('a', '30', 7)), 'silence')
    const lists = [list('10', item('a', '5', 1)), list('20', item('a', '19', 5))]
    const running = await start(t, lists, [row.first, last], { isIdleShort: row.name === 'silent' })
    await running.until('a=7')
    t.equal(watchesOf(running.api)[1], row.from)
    t.same(listsOf(running.api), Array(row.lists).fill(undefined), 'no list comes from the cache')
  })
}

t.test('what vanished while the watch was away is told by the new list', async t => {
  const running = await start(
    t,
    [list('10', item('a', '5', 1), item('b', '6', 2)), list('20', item('b', '6', 2))],
    [refuse(410), stream('', 'silence')],
  )
  await running.until('b=2')
  t.same(running.states, ['a=1 b=2', 'b=2'])
})

t.test('a place that always fails is given up and everything is listed again', async t => {
  const running = await start(
    t,
    [list('10'), list('20')],
    [refuse(504), refuse(504), refuse(504), stream('', 'silence')],
  )
  await running.untilWatches(4)
  t.same(watchesOf(running.api), ['10', '10', '10', '20'])
})

t.test('an API that is down at the start', async t => {
  const running = await start(t, [refuse(500), refuse(403), list('10', item('a', '5', 1))], [stream('', 'silence')])
  await running.until('a=1')
  t.equal(running.watch.get('a'), 1)
  t.match(running.log.lines[0], ['warn', 'watch failed, will try again', { failures: 1 }])
})

t.test('an object that cannot be read is left out, and forgotten if it was known', async t => {
  const bad = JSON.stringify({
    type: 'MODIFIED',
    object: { metadata: { name: 'a', resourceVersion: '11' }, value: 'x' },
  })
  const running = await start(t, [list('10', item('a', '5', 1))], [stream(`${bad}\n`, 'silence')])
  await running.until('')
  t.same(running.states, ['a=1', ''])
})

t.test('text that is cut anywhere, also within a letter', async t => {
  const name = 'naïve-💥'
  const line = Buffer.from(event('ADDED', item(name, '11', 2)))
  const slowly: Script = response => {
    response.writeHead(200)
    for (const byte of line) response.write(Buffer.from([byte]))
  }
  const running = await start(t, [list('10')], [slowly])
  await running.until(`${name}=2`)
})

t.test('live means that a stream is open', async t => {
  const running = await start(t, [list('10')], [stream(event('ADDED', item('a', '11', 1)), 'cut'), refuse(503)])
  await running.until('a=1')
  t.same(running.lives.slice(0, 2), [false, true], 'not yet at the list, then yes')
  await running.untilWatches(3)
  t.equal(running.watch.live(), false)
})

const streams: Manner = { begins: 'stream' }
const initial = event('ADDED', item('a', '3', 1)) + event('ADDED', item('b', '5', 2))

t.test('a stream that tells first what is there: no list, and nothing is told before all of it is known', async t => {
  const changes = event('MODIFIED', item('a', '11', 3))
  const running = await start(t, [refuse(403)], [stream(initial + bookmark('9') + changes, 'silence')], streams)
  await running.until('a=3 b=2')
  t.same(running.states, ['a=1 b=2', 'a=3 b=2'])
  t.same(listsOf(running.api), [])
  const [first] = running.api.seen
  t.equal(first?.resourceVersion, undefined)
  t.equal(first?.query.get('sendInitialEvents'), 'true')
  t.equal(first?.query.get('resourceVersionMatch'), 'NotOlderThan')
  t.ok(running.watch.current())
})

interface StreamCase {
  readonly name: string
  readonly watches: readonly Script[]
  readonly states: readonly string[]
  /** resourceVersion of each watch; `all` = from the beginning, `plain` = the same, as old servers understand it. */
  readonly asked: readonly string[]
}

const last = stream(event('ADDED', item('z', '50', 7)) + bookmark('60'), 'silence')
const streamCases: readonly StreamCase[] = [
  {
    name: 'cut before all of it was told: told again from the beginning',
    watches: [stream(initial, 'cut'), last],
    states: ['z=7'],
    asked: ['all', 'all'],
  },
  {
    name: 'cut later: goes on where it was',
    watches: [stream(initial + bookmark('9'), 'cut'), last],
    states: ['a=1 b=2', 'a=1 b=2 z=7'],
    asked: ['all', '9'],
  },
  {
    name: 'too old: what has gone meanwhile is forgotten',
    watches: [stream(initial + bookmark('9') + errorLine(410), 'end'), last],
    states: ['a=1 b=2', 'z=7'],
    asked: ['all', 'all'],
  },
  {
    name: 'a server that does not know the wish is asked in the old words, and each thing it says is told',
    watches: [refuse(422), stream(initial, 'cut'), last],
    states: ['a=1', 'a=1 b=2', 'a=1 b=2 z=7', 'z=7'],
    asked: ['all', 'plain', 'plain'],
  },
  {
    name: 'a bookmark without objects: there are none',
    watches: [stream(bookmark('9'), 'cut'), last],
    states: ['', 'z=7'],
    asked: ['all', '9'],
  },
]

for (const row of streamCases) {
  t.test(`stream: ${row.name}`, async t => {
    const running = await start(t, [refuse(403)], row.watches, streams)
    await running.until(row.states.at(-1) ?? '')
    t.same(running.states, row.states)
    const asked = running.api.seen.map(
      each => each.resourceVersion ?? (each.query.has('sendInitialEvents') ? 'all' : 'plain'),
    )
    t.same(asked, row.asked)
  })
}

t.test('a collection that the server does not have is empty, is no fault, and is found when it comes', async t => {
  const manner: Manner = { ...streams, optional: true }
  const running = await start(t, [refuse(403)], [refuse(404), refuse(404), last], manner)
  await running.until('z=7')
  t.same(running.states, ['', '', 'z=7'])
  t.same(
    running.log.lines.map(([level]) => level),
    ['info', 'info'],
    'said once, and when it is there',
  )
})

t.test('not current while cut, nor while it is told what is there', async t => {
  const running = await start(
    t,
    [],
    [stream(initial + bookmark('9') + errorLine(410), 'end'), stream(initial, 'silence')],
    streams,
  )
  await running.untilWatches(2)
  t.equal(running.watch.current(), false)
  t.equal([...running.watch.values()].length, 2, 'the old sight stays until there is a new one')
})

t.test('stop ends it', async t => {
  const running = await start(t, [list('10')], [stream(event('ADDED', item('a', '11', 1)), 'silence')])
  await running.until('a=1')
  await running.watch.stop()
  t.equal(running.watch.live(), false)
  t.same(running.log.lines, [], 'an end that was asked for is no failure')
})
