import type { Informer, Reader } from './informer.ts'

/** What a reader of an informer asks of it. */
export type Watched<T> = Pick<Informer<T>, 'get' | 'values' | 'synced' | 'subscribe'>

/**
 * The objects of an informer as one reader sees them.
 * @param view undefined = the reader has no use for the object: for it there is none
 */
export function derive<T, U>(informer: Watched<T>, view: (value: T) => U | undefined): Watched<U> {
  const seen = (value: T | undefined) => (value === undefined ? undefined : view(value))
  return {
    get: key => seen(informer.get(key)),
    *values() {
      for (const value of informer.values()) {
        const found = view(value)
        if (found !== undefined) yield found
      }
    },
    synced: () => informer.synced(),
    subscribe: (reader: Reader<U>) =>
      informer.subscribe(changes => {
        const told = changes.map(({ key, before, after }) => ({ key, before: seen(before), after: seen(after) }))
        const news = told.filter(({ before, after }) => before !== undefined || after !== undefined)
        // No change at all means that everything has been told anew.
        if (news.length > 0 || changes.length === 0) reader(news)
      }),
  }
}
