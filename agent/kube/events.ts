import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { plainText } from '../runtime/plain-text.ts'
import type { KubeApi } from './api.ts'

/** The object that an Event is about. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  /** Absent = the object has none; its Events are then in `default`. */
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

/** A Node as Events name it. */
export function nodeRef({ name, uid }: { readonly name: string; readonly uid: string }): ObjectRef {
  return { apiVersion: 'v1', kind: 'Node', name, uid }
}

/** Something worth telling about an object. */
export interface KubeEvent {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase: `TaintLifted`. */
  readonly reason: string
  readonly note: string
}

/** Sends Events. Never fails: an Event that cannot be sent is logged and forgotten. */
export interface EventRecorder {
  record(regarding: ObjectRef, event: KubeEvent, signal: AbortSignal): Promise<void>
}

/** Hears of Events that are told. */
export type EventListener = (regarding: ObjectRef, event: KubeEvent) => void

export interface EventRecorderOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly log: Logger
  /** Name of this agent's or leader's instance: the node it runs on. */
  readonly instance: string
  /** Hears of each Event, also of those that cannot be sent. */
  readonly onEvent?: EventListener
}

/** An Event that was sent and is still the one to count repeats on. */
interface Sent {
  readonly path: string
  readonly atMs: number
  readonly count: number
}

/** Events live for an hour by default; a repeat within this time counts up the one that is there. */
const seriesMs = 10 * 60_000
/** Repeats are counted here and written at 2, 4, 8, ...: a flapping node must not fill the API server. */
const isWritten = (count: number) => Number.isInteger(Math.log2(count))
const mostRemembered = 100
const longestNote = 1000

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, clock, log } = options
  const sent = new Map<string, Sent>()
  const send = async (key: string, body: EventBody, signal: AbortSignal) => {
    const last = sent.get(key)
    const nowMs = clock.now()
    if (last === undefined || nowMs - last.atMs > seriesMs) {
      const folder = `/apis/events.k8s.io/v1/namespaces/${body.metadata.namespace}/events`
      await api.request({ method: 'POST', path: folder, body, signal })
      remember(sent, key, { path: `${folder}/${encodeURIComponent(body.metadata.name)}`, atMs: nowMs, count: 1 })
      return
    }
    const count = last.count + 1
    remember(sent, key, { ...last, count, atMs: nowMs })
    if (isWritten(count)) await api.request(toSeriesPatch(last.path, count, body.eventTime, signal))
  }
  return {
    async record(regarding, event, signal) {
      options.onEvent?.(regarding, event)
      const key = keyOf([regarding.uid, event.type, event.reason, event.note])
      try {
        await send(
          key,
          toBody(regarding, event, { instance: options.instance, time: toMicroTime(clock.now()) }),
          signal,
        )
      } catch (error) {
        // The event may have been swept away; the next one of its kind starts anew.
        sent.delete(key)
        if (!signal.aborted) log.warn({ reason: event.reason, err: error }, 'event not sent')
      }
    },
  }
}

function toSeriesPatch(path: string, count: number, time: string, signal: AbortSignal) {
  const body = { series: { count, lastObservedTime: time } }
  return { method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal } as const
}

function remember(sent: Map<string, Sent>, key: string, value: Sent): void {
  sent.delete(key)
  sent.set(key, value)
  const [oldest] = sent.keys()
  if (sent.size > mostRemembered && oldest !== undefined) sent.delete(oldest)
}

function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

type EventBody = ReturnType<typeof toBody>

function toBody(regarding: ObjectRef, event: KubeEvent, from: { readonly instance: string; readonly time: string }) {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // The name of an object may be as long as a name may be at all.
    metadata: {
      name: `${regarding.name.slice(0, 200).replace(/[-.]+$/, '')}.${randomBytes(8).toString('hex')}`,
      namespace: regarding.namespace ?? 'default',
    },
    eventTime: from.time,
    reportingController: 'nopal',
    reportingInstance: from.instance.slice(0, 128),
    action: event.reason,
    type: event.type,
    reason: event.reason,
    // Words of pods, plugins and servers, which people print.
    note: plainText(event.note).slice(0, longestNote),
    regarding,
  }
}

/** The API's MicroTime: six digits after the second. */
function toMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
