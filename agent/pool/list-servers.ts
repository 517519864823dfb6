import type { HcloudClient } from './hcloud-client.ts'
import { HcloudError } from './hcloud-error.ts'
import { type CloudServer, parseServerPage, type ServerPage } from './server.ts'

/** Whose servers. */
export interface ServerQuery {
  /** Checked before: an empty one would be every server of the project. */
  readonly selector: string
  readonly token: string
}

/** The documented maximum. */
const pageSize = 50
/** A server that never comes to an end is not believed. */
const mostPages = 1_000
/** A list that changes while it is read is read again. */
const tries = 3

/**
 * Lists all servers with these labels, sorted by id. Pages are questions of their own, and nothing promises that they
 * show one moment: a list whose count does not fit is read again.
 * @throws HcloudError
 */
export async function listServers(
  client: HcloudClient,
  query: ServerQuery,
  signal: AbortSignal,
): Promise<readonly CloudServer[]> {
  for (let tried = 0; tried < tries; tried += 1) {
    const servers = await readPages(client, query, signal)
    if (servers !== undefined) return servers
  }
  throw new HcloudError('bad_answer', 'Hetzner Cloud: the list of servers changed each time while it was read')
}

/** @returns undefined = the pages do not belong together */
async function readPages(
  client: HcloudClient,
  query: ServerQuery,
  signal: AbortSignal,
): Promise<readonly CloudServer[] | undefined> {
  const servers = new Map<number, CloudServer>()
  const totals = new Set<number | undefined>()
  for (let page: number | undefined = 1; page !== undefined; ) {
    const got = await readPage(client, { ...query, page }, signal)
    for (const server of got.servers) servers.set(server.id, server)
    totals.add(got.total)
    page = got.nextPage
  }
  const [total] = totals
  if (totals.size > 1 || (total !== undefined && total !== servers.size)) return undefined
  return [...servers.values()].sort((one, other) => one.id - other.id)
}

async function readPage(
  client: HcloudClient,
  { selector, token, page }: ServerQuery & { readonly page: number },
  signal: AbortSignal,
): Promise<ServerPage> {
  const wait = client.budget.waitMs(1)
  if (wait > 0) throw toBudgetError(wait)
  const search = { label_selector: selector, sort: 'id:asc', page: `${page}`, per_page: `${pageSize}` }
  const got = parseServerPage(await client.get(`/servers?${new URLSearchParams(search)}`, token, signal))
  if (typeof got === 'string') throw new HcloudError('bad_answer', `Hetzner Cloud: no page of servers: ${got}`)
  if (got.servers.length > pageSize)
    throw new HcloudError(
      'bad_answer',
      `Hetzner Cloud: a page of ${got.servers.length} servers, ${pageSize} are the most`,
    )
  if (got.nextPage !== undefined && (got.nextPage !== page + 1 || page === mostPages))
    throw new HcloudError('bad_answer', `Hetzner Cloud: page ${page} of the servers is followed by ${got.nextPage}`)
  return got
}

function toBudgetError(retryAfterMs: number): HcloudError {
  return new HcloudError('rate_limit_exceeded', 'Hetzner Cloud: few questions of the hour are left, others need them', {
    retryAfterMs,
  })
}
