import type { Route } from './classify.ts'
import type { RouteTable } from './routes.ts'

/** Where a packet of a device would go. */
export interface Destination {
  readonly address: string
  readonly fwmark: number
}

/** Remembers how the kernel routes, and asks it again, the oldest answers first. */
export interface RouteBook {
  /** Brings the answers for these up to date, or as many as one look may ask for. Never throws. */
  refresh(wanted: readonly Destination[]): Promise<void>
  /** undefined = the kernel cannot be asked at all. */
  find(address: string, fwmark: number): Route | undefined
}

/** A question takes some 0.1 ms: a look at thousands of peers asks for a part of them, and the rest keeps for a while. */
const mostQuestions = 64

/**
 * What the kernel has not been asked for yet, has not answered in time, or has no way to. That is no proof against an
 * endpoint: a healthy one would be moved.
 */
const nowhereKnown: Route = { device: '', tunnel: false }

/** A book that knows nothing, for where the kernel cannot be asked. */
export const emptyRouteBook: RouteBook = { refresh: async () => undefined, find: () => undefined }

export function createRouteBook(table: RouteTable): RouteBook {
  // The oldest answers first: what is asked again goes to the end.
  const known = new Map<string, Route | undefined>()
  const ask = async ({ address, fwmark }: Destination) => {
    const key = keyOf(address, fwmark)
    const before = known.get(key)
    known.delete(key)
    known.set(key, await table.find(address, fwmark).catch(() => before))
  }
  return {
    async refresh(wanted) {
      const open = new Map(wanted.map(each => [keyOf(each.address, each.fwmark), each]))
      for (const key of [...known.keys()]) if (!open.has(key)) known.delete(key)
      const fresh = [...open].filter(([key]) => !known.has(key)).map(([, each]) => each)
      const old = [...known.keys()].flatMap(key => open.get(key) ?? [])
      await Promise.all([...fresh, ...old].slice(0, mostQuestions).map(ask))
    },
    find: (address, fwmark) => known.get(keyOf(address, fwmark)) ?? nowhereKnown,
  }
}

function keyOf(address: string, fwmark: number): string {
  return `${fwmark} ${address}`
}
