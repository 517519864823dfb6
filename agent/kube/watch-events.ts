import * as v from 'valibot'
import { KubeError } from './api.ts'
import { codeOfStatus } from './failures.ts'

/** One object as lists and watches give it, before anyone knows its kind. */
export interface RawObject {
  /** `namespace/name`, or the name alone. */
  readonly key: string
  readonly resourceVersion: string
  readonly body: unknown
}

/** One line of a watch. */
export type WatchEvent =
  | { readonly kind: 'set' | 'gone'; readonly object: RawObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }

/** What one page of a list says, its objects aside. */
export interface ListPage {
  readonly resourceVersion: string
  readonly next: string | undefined
}

// Loose, because the body that is handed on must be whole.
const metadata = v.looseObject({
  name: v.string(),
  namespace: v.nullish(v.string()),
  resourceVersion: v.optional(v.string(), ''),
})

const eventShape = v.variant('type', [
  v.object({ type: v.picklist(['ADDED', 'MODIFIED', 'DELETED']), object: v.looseObject({ metadata }) }),
  v.object({
    type: v.literal('BOOKMARK'),
    object: v.looseObject({ metadata: v.looseObject({ resourceVersion: v.pipe(v.string(), v.minLength(1)) }) }),
  }),
  v.object({
    type: v.literal('ERROR'),
    object: v.looseObject({ code: v.optional(v.number(), 0), message: v.optional(v.string(), '') }),
  }),
])

const itemShape = v.looseObject({ metadata })

const listShape = v.object({
  metadata: v.object({ resourceVersion: v.optional(v.string(), ''), continue: v.nullish(v.string()) }),
  items: v.nullish(v.tuple([])),
})

/**
 * Reads one line of a watch.
 * @throws KubeError with what the server's ERROR event says (Gone above all); BadReply for anything that is no event
 */
export function parseWatchLine(line: string): WatchEvent {
  const result = v.safeParse(eventShape, parseJson(line))
  if (!result.success) throw new KubeError('BadReply', 'a line of a watch is no event')
  const event = result.output
  if (event.type === 'ERROR') {
    const { code, message } = event.object
    throw new KubeError(code === 0 ? 'ServerError' : codeOfStatus(code), `the watch ended: ${code} ${message}`, {
      status: code,
    })
  }
  if (event.type === 'BOOKMARK') return { kind: 'bookmark', resourceVersion: event.object.metadata.resourceVersion }
  return { kind: event.type === 'DELETED' ? 'gone' : 'set', object: toRaw(event.object) }
}

/**
 * Reads one page of a list, from which the objects have been taken.
 * @throws KubeError BadReply
 */
export function parseList(answer: unknown): ListPage {
  const result = v.safeParse(listShape, answer)
  if (!result.success) throw new KubeError('BadReply', 'the answer is no list')
  const { metadata: meta } = result.output
  return { resourceVersion: meta.resourceVersion, next: meta.continue || undefined }
}

/**
 * Reads one object of a list.
 * @throws KubeError BadReply
 */
export function parseItem(item: unknown): RawObject {
  const result = v.safeParse(itemShape, item)
  if (!result.success) throw new KubeError('BadReply', 'the list holds something that is no object')
  return toRaw(result.output)
}

function toRaw(object: { readonly metadata: v.InferOutput<typeof metadata> }): RawObject {
  const { name, namespace, resourceVersion } = object.metadata
  return { key: objectKey(name, namespace), resourceVersion, body: object }
}

/** What one object of a kind is found by: `namespace/name`, or the name alone. */
export function objectKey(name: string, namespace?: string | null): string {
  return namespace ? `${namespace}/${name}` : name
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
