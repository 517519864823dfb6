import type { KubeApi } from './api.ts'

/** A time in which this process is the only one at work. */
export interface Term {
  /** Fires before anybody else may begin. */
  readonly signal: AbortSignal
  /** The cluster, for this term: a write is refused, or cut off, once it is not certain any more that the term lasts. */
  readonly api: KubeApi
  /**
   * Call right before a write to any other server: a process that was paused knows by its clock that its term has ended
   * before any timer has told it so.
   * @throws TermEndedError
   */
  fence(): void
}

/** This process does not have its turn any more, or cannot be sure that it has. */
export class TermEndedError extends Error {
  override readonly name = 'TermEndedError'
  readonly code = 'TermEnded'
}

/** @param isCertain whether nobody else can have begun yet, at this moment */
export function createTerm(api: KubeApi, signal: AbortSignal, isCertain: () => boolean): Term {
  const fence = () => {
    signal.throwIfAborted()
    if (!isCertain()) throw new TermEndedError('it is not certain any more that this process alone is at work')
  }
  return {
    signal,
    fence,
    api: {
      server: api.server,
      async request(request) {
        if (request.method === 'GET') return api.request(request)
        fence()
        const both = request.signal === undefined ? signal : AbortSignal.any([request.signal, signal])
        return api.request({ ...request, signal: both, fence })
      },
    },
  }
}
