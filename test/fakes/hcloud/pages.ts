import type { FakeServer } from './servers.ts'

const mostPerPage = 50

/** One page of the list: 25 servers unless asked for more, 50 at most. */
export function listPage(servers: readonly FakeServer[], query: URLSearchParams): object {
  const perPage = Math.min(Number(query.get('per_page') ?? 25), mostPerPage)
  const page = Number(query.get('page') ?? 1)
  const wanted = servers.filter(server => matches(server.labels, query.get('label_selector') ?? ''))
  const sorted = wanted.toSorted((one, other) => one.id - other.id)
  const lastPage = Math.max(1, Math.ceil(sorted.length / perPage))
  const pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < lastPage ? page + 1 : null,
    last_page: lastPage,
    total_entries: sorted.length,
  }
  return { servers: sorted.slice((page - 1) * perPage, page * perPage), meta: { pagination } }
}

/** The forms that the tests ask with: `k=v`, `k` and several of them. Nothing at all selects everything. */
function matches(labels: Readonly<Record<string, string>>, selector: string): boolean {
  if (selector === '') return true
  return selector.split(',').every(part => {
    const [key = '', value] = part.split('=')
    return value === undefined ? key in labels : labels[key] === value
  })
}
