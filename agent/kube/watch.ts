import { backoffMs } from '../runtime/backoff.ts'
import { type Clock, pause } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type KubeApi, KubeError } from './api.ts'
import type { KubeStreams } from './client.ts'
import { listPages } from './list.ts'
import { parseWatchLine, type RawObject, type WatchEvent } from './watch-events.ts'

/** What is watched and who takes it in. */
export interface WatchOptions {
  readonly api: KubeApi & KubeStreams
  /** Path of the collection: `/api/v1/nodes`. */
  readonly path: string
  /** Selectors. */
  readonly query: Readonly<Record<string, string>>
  readonly sink: WatchSink
  readonly log: Logger
  readonly clock: Clock
  readonly random: () => number
  /**
   * How it learns what is there already: by a list, or by the watch itself, which then needs no right to list and makes
   * no other request. A list unless told.
   */
  readonly begins?: 'list' | 'stream'
  /** The server may not have such a collection: then there is nothing in it, and it is looked for now and then. */
  readonly optional?: boolean
}

/** Takes in what a watch tells. None of these may throw. */
export interface WatchSink {
  /**
   * From here on all that is there is told, until `end`; another `begin` before that starts anew.
   * @param inParts whether what is told counts at once, because nobody knows when that will have been all
   */
  begin(inParts: boolean): void
  /** It is there, as it was or changed. */
  set(object: RawObject): void
  remove(key: string): void
  /** All that is there has been told: what was not is gone. From here on changes are told. */
  end(): void
}

/** A watch that never ends by itself. */
export interface Watch {
  /** Whether a stream is open now, which proves that the server answers us. */
  live(): boolean
  /** Whether what was told is all there is, but for what is on its way. */
  current(): boolean
  stop(): Promise<void>
}

/**
 * Times of a watch. Servers send a bookmark about once a minute, so a stream that says nothing for two minutes is dead
 * however healthy its connection looks. The pause between tries stays short: a cut is mended within 15 seconds.
 */
const watchTimes = {
  leastLifeMs: 300_000,
  mostLifeMs: 600_000,
  shortLifeMs: 5_000,
  leastIdleMs: 120_000,
  mostIdleMs: 135_000,
  backoff: { leastMs: 200, mostMs: 8_000 },
  absent: { leastMs: 5_000, mostMs: 300_000 },
} as const

/** After so many failures in a row the place to resume from is doubted too, and everything is listed again. */
const failuresBeforeRelist = 3
const longestLine = 8 * 2 ** 20

/** Lists, then watches, for ever: resumes where it was cut, lists again when that place is gone or the stream fell silent. */
export function startWatch(options: WatchOptions): Watch {
  const watch = new RestartingWatch(options)
  watch.begin()
  return watch
}

class RestartingWatch implements Watch {
  readonly #options: WatchOptions
  readonly #controller = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** The resourceVersion up to which everything is known. */
  #cursor: string | undefined
  /** Whether the stream is telling what is there; it tells changes afterwards. */
  #gathers = false
  /** `events` is what every server understands: it tells what is there, but not when that was all. */
  #begins: 'list' | 'stream' | 'events'
  #absent = false
  #failures = 0
  #live = false

  constructor(options: WatchOptions) {
    this.#options = options
    this.#begins = options.begins ?? 'list'
  }

  begin(): void {
    this.#running = this.#run()
  }

  live(): boolean {
    return this.#live
  }

  current(): boolean {
    return this.#live && this.#cursor !== undefined
  }

  async stop(): Promise<void> {
    this.#controller.abort(new Error('the watch ends'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#controller
    while (!signal.aborted) {
      try {
        if (this.#begins === 'list') this.#cursor ??= await this.#list()
        await this.#follow()
      } catch (error) {
        this.#noteFailure(error)
      }
      const limits = this.#absent ? watchTimes.absent : watchTimes.backoff
      const waitMs = backoffMs(Math.max(this.#failures, 1), limits, random)
      await pause(clock, waitMs, signal)
    }
  }

  #noteFailure(error: unknown): void {
    const { log, path } = this.#options
    if (this.#controller.signal.aborted) return
    const code = error instanceof KubeError ? error.code : undefined
    if (code === 'NotFound' && this.#options.optional) {
      this.#noteAbsence()
      return
    }
    if (code === 'Invalid' && this.#begins === 'stream') {
      this.#begins = 'events'
      log.debug({ path, err: error }, 'the API server streams no lists, watches as ever')
      return
    }
    this.#failures += 1
    const gone = code === 'Gone'
    if (gone || this.#failures % failuresBeforeRelist === 0) this.#cursor = undefined
    const fields = { path, failures: this.#failures, err: error }
    if (gone) log.info(fields, 'watch is too old, lists again')
    // The first line says what happened; that it goes on is told now and then.
    else if (this.#failures % 10 === 1) log.warn(fields, 'watch failed, will try again')
    else log.debug(fields, 'watch failed, will try again')
  }

  /** What holds this stream back may hold back the next one too: what has happened is asked for, not waited for. */
  #noteSilence(silence: KubeError): void {
    this.#cursor = undefined
    this.#options.log.info({ path: this.#options.path, err: silence }, 'watch fell silent, asks what is there')
  }

  #noteAbsence(): void {
    const { log, path, sink } = this.#options
    // Counted from one, so that a collection that is about to come is found soon.
    this.#failures = this.#absent ? this.#failures + 1 : 1
    if (!this.#absent) log.info({ path }, 'the API server has no such collection, looks again now and then')
    this.#absent = true
    this.#cursor = undefined
    sink.begin(false)
    sink.end()
  }

  /** @returns the resourceVersion of the list */
  async #list(): Promise<string> {
    const { sink, path } = this.#options
    let version = ''
    sink.begin(false)
    const read = (object: RawObject) => void sink.set(object)
    for await (const { resourceVersion } of listPages({ ...this.#options, signal: this.#controller.signal, read }))
      version = resourceVersion
    if (version === '') throw new KubeError('BadReply', `the list ${path} has no resourceVersion`)
    sink.end()
    return version
  }

  /** Reads one stream to its end. */
  async #follow(): Promise<void> {
    const { api, path, query, clock, random } = this.#options
    const stream = new AbortController()
    const end = () => stream.abort(this.#controller.signal.reason)
    this.#controller.signal.addEventListener('abort', end, { once: true })
    const lifeMs = between(watchTimes.leastLifeMs, watchTimes.mostLifeMs, random)
    const idleMs = between(watchTimes.leastIdleMs, watchTimes.mostIdleMs, random)
    const silence = new KubeError('TimedOut', `the watch ${path} said nothing for ${idleMs} ms`)
    const silent = () => stream.abort(silence)
    let cancelIdle = clock.after(idleMs, silent)
    try {
      const chunks = await api.stream({
        path,
        query: {
          ...query,
          ...this.#place(),
          watch: 'true',
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(Math.round(lifeMs / 1000)),
        },
        signal: stream.signal,
      })
      this.#live = true
      this.#absent = false
      this.#gathers = this.#cursor === undefined
      if (this.#gathers) this.#options.sink.begin(this.#begins === 'events')
      const openedMs = clock.monotonic()
      for await (const line of splitLines(chunks)) {
        cancelIdle()
        cancelIdle = clock.after(idleMs, silent)
        this.#take(parseWatchLine(line))
      }
      // Something that ends every stream at once, in good order, must not be asked in a hot loop.
      if (clock.monotonic() - openedMs < watchTimes.shortLifeMs) this.#failures += 1
    } catch (error) {
      // A cut stream fails with the connection's words; ours say why it was cut.
      const reason = stream.signal.aborted ? stream.signal.reason : error
      if (reason !== silence) throw reason
      this.#noteSilence(silence)
    } finally {
      this.#live = false
      cancelIdle()
      stream.abort()
      this.#controller.signal.removeEventListener('abort', end)
    }
  }

  /** Where a stream is to begin. */
  #place(): Readonly<Record<string, string>> {
    if (this.#cursor !== undefined) return { resourceVersion: this.#cursor }
    // Without a version what is there comes first; with these two as well, not older than the server's newest.
    return this.#begins === 'stream' ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : {}
  }

  #take(event: WatchEvent): void {
    const { sink } = this.#options
    this.#noteSuccess()
    if (event.kind === 'set') sink.set(event.object)
    if (event.kind === 'gone') sink.remove(event.object.key)
    if (event.kind === 'bookmark') {
      this.#cursor = event.resourceVersion
      // The first one, whatever it was sent for, comes after all that is there.
      if (this.#gathers) sink.end()
      this.#gathers = false
    } else if (!this.#gathers) this.#cursor = event.object.resourceVersion || this.#cursor
  }

  #noteSuccess(): void {
    if (this.#failures > 0)
      this.#options.log.info({ path: this.#options.path, failures: this.#failures }, 'watch works again')
    this.#failures = 0
  }
}

function between(least: number, most: number, random: () => number): number {
  return Math.round(least + (most - least) * random())
}

/** Whole lines of a text stream. Half a line at the end is dropped: the next stream sends that event again. */
async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new KubeError('BadReply', 'a line of a watch is too long')
    yield* lines.filter(line => line !== '')
  }
}
