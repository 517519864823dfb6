import { type KubeApi, KubeError } from './api.ts'
import { type ListPage, parseList } from './watch-events.ts'

/** What is listed. */
export interface ListOptions {
  readonly api: KubeApi
  /** Path of the collection: `/api/v1/nodes`. */
  readonly path: string
  /** Selectors. */
  readonly query?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** A Node is some 10 kB: what is held at a time is some megabytes, whatever the cluster holds. */
const pageSize = '200'
/** A server that never comes to an end is not believed. */
const mostPages = 1_000

/**
 * Hands out a collection page by page, all pages as of one moment, which is not before this call. Without a
 * resourceVersion: with `0` a server answers from its cache, and all at once whatever limit it is told.
 * @throws KubeError; Gone where the server has forgotten that moment before the last page
 */
export async function* listPages({ api, path, query, signal }: ListOptions): AsyncGenerator<ListPage> {
  let next: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const paging = { limit: pageSize, ...(next === undefined ? {} : { continue: next }) }
    const page = parseList(await api.request({ method: 'GET', path, query: { ...query, ...paging }, signal }))
    yield page
    if (page.next === undefined) return
    next = page.next
  }
  throw new KubeError('BadReply', `the list ${path} has more than ${mostPages} pages`)
}
