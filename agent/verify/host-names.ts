import { isIP } from 'node:net'
import { withDeadline } from './deadline.ts'
import type { ReadOptions } from './kubernetes-service.ts'

/** Addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** Asks for each name once: within one run it means the same addresses to all who ask. */
export function resolveOnce(resolve: Resolve): Resolve {
  const asked = new Map<string, Promise<readonly string[]>>()
  return host => {
    const answer = asked.get(host) ?? resolve(host)
    asked.set(host, answer)
    return answer
  }
}

/**
 * Addresses of those hosts that are names, for a place that cannot ask the host's resolver: it may be on the host's own
 * loopback. Who has none in time has none.
 */
export async function resolveAll(
  hosts: readonly string[],
  resolve: Resolve,
  { signal, timeoutMs }: ReadOptions,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const names = [...new Set(hosts)].filter(host => isIP(host) === 0)
  const found = names.map(async name => {
    const addresses = await withDeadline(timeoutMs, signal, () => resolve(name)).catch(() => [])
    return [name, addresses] as const
  })
  return Object.fromEntries(await Promise.all(found))
}
