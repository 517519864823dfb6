import { KubeError, type KubeErrorCode } from '../kube/api.ts'
import { CheckFault } from './check.ts'

/** An answer that only another question would get is, to a check, a bad reply. */
const outOfPlace: ReadonlySet<KubeErrorCode> = new Set(['NotFound', 'Conflict', 'Gone', 'Invalid'])

/** Names the way in which a request to the API failed. */
export function toKubeFault(error: unknown): unknown {
  if (!(error instanceof KubeError)) return error
  return new CheckFault(outOfPlace.has(error.code) ? 'BadReply' : error.code, error.message, error)
}
