import { AnswerError } from '../runtime/answer-error.ts'

/** One call to the Kubernetes API. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the server, with every part already escaped: `/api/v1/nodes/n1`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Media type of the body; JSON unless told. Patches name theirs. */
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Milliseconds for the whole exchange; 10,000 unless told. */
  readonly timeoutMs?: number
  /** Of a list: takes each object as it comes, and the answer has none of them. What it throws ends the request. */
  readonly onItem?: (item: unknown) => void
  /** Called at the moment at which the request leaves, on a connection that stands; what it throws keeps it back. */
  readonly fence?: () => void
}

/** The agent's way to the API server, with its credentials. */
export interface KubeApi {
  /** Where it talks to, for messages: `https://10.96.0.1:443`. */
  readonly server: string
  /**
   * Sends one request and returns the parsed answer of a 2xx.
   * @throws KubeError for every other answer and for none
   */
  request(request: KubeRequest): Promise<unknown>
}

/** The ways a request can fail; these are also the `reason`s of the `api` check. */
export type KubeErrorCode =
  | 'Unreachable'
  | 'TLSFailed'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'Throttled'
  | 'ServerError'
  | 'BadReply'
  | 'TimedOut'

export class KubeError extends AnswerError<KubeErrorCode> {
  override readonly name = 'KubeError'
}

/** Whether there is no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'NotFound'
}

/** For `catch`: an object that is not there is undefined; every other error stays one. */
export function orAbsent(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
