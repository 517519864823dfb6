import { messageOf } from '../../cni/host/system-error.ts'
import type { Clock } from '../runtime/clock.ts'
import { SecretError } from '../runtime/secret.ts'
import { ConfigFileError } from './config-file.ts'
import type { HcloudClient } from './hcloud-client.ts'
import { HcloudError } from './hcloud-error.ts'
import { listServers, type ServerQuery } from './list-servers.ts'
import type { CloudServer } from './server.ts'

/** The servers as far as they are known. */
export interface Listed {
  /** Those of the last good list; undefined = there was none. */
  readonly servers: readonly CloudServer[] | undefined
  /** Whether that list is another one than the last time. */
  readonly isNew: boolean
  /** Why there is no newer list, for people. */
  readonly fault: string | undefined
  /** Whether that is because the newest answer cannot be trusted. */
  readonly badAnswer: boolean
}

/** The servers, asked for once an interval however often somebody looks. */
export interface Listing {
  current(signal: AbortSignal): Promise<Listed>
  /** Milliseconds until it is asked for again. */
  nextMs(): number
}

export interface ListingOptions {
  readonly client: HcloudClient
  /** Whose servers, as the files have it now. */
  readonly query: () => Promise<ServerQuery>
  readonly intervalMs: number
  readonly clock: Clock
}

export function createListing({ client, query, intervalMs, clock }: ListingOptions): Listing {
  let servers: readonly CloudServer[] | undefined
  let fault: string | undefined
  let badAnswer = false
  let asked: string | undefined
  let nextAtMs = 0
  const isDue = (key: string) => asked !== key || clock.monotonic() >= nextAtMs
  const wait = (ms: number) => {
    nextAtMs = clock.monotonic() + ms
  }
  const refresh = async (signal: AbortSignal): Promise<boolean> => {
    const wanted = await query()
    const key = JSON.stringify(wanted)
    if (!isDue(key)) return false
    // Before the question: one that fails is not asked again before its time.
    asked = key
    wait(intervalMs)
    servers = await listServers(client, wanted, signal)
    fault = undefined
    badAnswer = false
    return true
  }
  return {
    async current(signal) {
      try {
        const isNew = await refresh(signal)
        return { servers, isNew, fault, badAnswer }
      } catch (error) {
        if (!isForeseen(error)) throw error
        if (error instanceof HcloudError && error.retryAfterMs !== undefined) wait(error.retryAfterMs)
        badAnswer = isBadAnswer(error)
        fault = badAnswer ? `${messageOf(error)} (BadAnswer)` : messageOf(error)
        return { servers, isNew: false, fault, badAnswer }
      }
    },
    nextMs: () => Math.max(0, nextAtMs - clock.monotonic()),
  }
}

function isBadAnswer(error: unknown): boolean {
  return error instanceof HcloudError && error.code === 'bad_answer'
}

function isForeseen(error: unknown): error is Error {
  return error instanceof HcloudError || error instanceof SecretError || error instanceof ConfigFileError
}
