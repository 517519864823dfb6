import { messageOf } from '../../cni/host/system-error.ts'
import { type KubeApi, KubeError, type KubeErrorCode } from '../kube/api.ts'

/** What one read of the API gave, as it travels to the program in a sandbox. */
export type RelayedRead =
  | { readonly key: string; readonly answer: unknown }
  | { readonly key: string; readonly code: KubeErrorCode; readonly message: string }

/** The API for one run: what several checks and vantages read, is read once. */
export interface SharedReads {
  readonly api: KubeApi
  /** Every read so far, those in flight included. */
  relay(): Promise<readonly RelayedRead[]>
}

/** A run takes seconds: within it the same question has the same answer. */
export function shareReads(api: KubeApi): SharedReads {
  const reads = new Map<string, Promise<unknown>>()
  return {
    api: {
      server: api.server,
      request(request) {
        if (request.method !== 'GET') return api.request(request)
        const key = keyOf(request)
        const read = reads.get(key) ?? api.request(request)
        reads.set(key, read)
        return read
      },
    },
    relay: () => Promise.all([...reads].map(([key, read]) => toRelayed(key, read))),
  }
}

/** An API that knows what another vantage has read, and nothing else. */
export function createRelayedApi(server: string, reads: readonly RelayedRead[]): KubeApi {
  return {
    server,
    async request(request) {
      const read = reads.find(each => each.key === keyOf(request))
      if (read === undefined) throw new KubeError('BadReply', `${request.path} was not read by the host`)
      if ('answer' in read) return read.answer
      throw new KubeError(read.code, read.message)
    },
  }
}

function keyOf({ path, query = {} }: Parameters<KubeApi['request']>[0]): string {
  return `${path}?${new URLSearchParams(query)}`
}

async function toRelayed(key: string, read: Promise<unknown>): Promise<RelayedRead> {
  try {
    return { key, answer: await read }
  } catch (error) {
    const code = error instanceof KubeError ? error.code : 'Unreachable'
    return { key, code, message: messageOf(error) }
  }
}
