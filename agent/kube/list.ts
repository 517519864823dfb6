import { type KubeApi, KubeError } from './api.ts'
import { parseItem, parseList, type RawObject } from './watch-events.ts'

/** What is listed. */
export interface ListOptions<T> {
  readonly api: KubeApi
  /** Path of the collection: `/api/v1/nodes`. */
  readonly path: string
  /** Selectors. */
  readonly query?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Makes each object what is wanted of it, as it comes; undefined = it is left out. What it throws ends the list. */
  readonly read: (object: RawObject) => T | undefined
}

/** One page: what was wanted of its objects, and the moment that it shows. */
export interface Page<T> {
  readonly resourceVersion: string
  readonly values: readonly T[]
}

/** As the common clients have it. */
const pageSize = '500'
/** A server that never comes to an end is not believed. */
const mostPages = 1_000

/**
 * Lists a collection page by page, all pages as of one moment, which is not before this call. Without a resourceVersion:
 * with `0` a server answers from its cache, and all at once whatever limit it is told.
 * @throws KubeError; Gone where the server has forgotten that moment before the last page
 */
export async function* listPages<T>({ api, path, query, signal, read }: ListOptions<T>): AsyncGenerator<Page<T>> {
  let next: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const values: T[] = []
    const onItem = (item: unknown) => {
      const value = read(parseItem(item))
      if (value !== undefined) values.push(value)
    }
    const paging = { limit: pageSize, ...(next === undefined ? {} : { continue: next }) }
    const answer = await api.request({ method: 'GET', path, query: { ...query, ...paging }, signal, onItem })
    const page = parseList(answer)
    yield { resourceVersion: page.resourceVersion, values }
    if (page.next === undefined) return
    next = page.next
  }
  throw new KubeError('BadReply', `the list ${path} has more than ${mostPages} pages`)
}
