import { KubeError, type KubeErrorCode } from '../kube/api.ts'
import { CheckFault } from './check.ts'

/** An answer that only another question would get. */
type OutOfPlace = 'NotFound' | 'Conflict' | 'Gone' | 'Invalid'

const outOfPlace: ReadonlySet<KubeErrorCode> = new Set<OutOfPlace>(['NotFound', 'Conflict', 'Gone', 'Invalid'])

const isReason = (code: KubeErrorCode): code is Exclude<KubeErrorCode, OutOfPlace> => !outOfPlace.has(code)

/** Names the way in which a request to the API failed. To a check, an answer out of place is a bad reply. */
export function toKubeFault(error: unknown): unknown {
  if (!(error instanceof KubeError)) return error
  return new CheckFault(isReason(error.code) ? error.code : 'BadReply', error.message, error)
}
