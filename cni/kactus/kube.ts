import { CodedError } from '../host/coded-error.ts'
import { sizeOf } from '../networks/bounds.ts'
import { type Json, parseJsonOr } from '../spec/json.ts'
import { AnswerTooLarge, openHttps } from './https.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** Reads objects of the Kubernetes API. */
export interface KubeReader {
  /**
   * @param path below the server, each part already escaped
   * @param maxBytes of the object as it comes
   * @returns the object; undefined = there is none of that name
   * @throws KubeReadError
   */
  get(path: string, maxBytes: number): Promise<Json | undefined>
}

class KubeReadError extends CodedError<'Unreachable' | 'TimedOut' | 'Status' | 'BadReply' | 'TooLarge'> {
  override readonly name = 'KubeReadError'
}

/**
 * Opens the way to an API server.
 * @param signal ends every request when the time for all of them is over
 */
export function openKube(access: KubeAccess, signal: AbortSignal): KubeReader {
  const getter = openHttps(access, signal)
  const server = `the API server ${access.server.host}`
  const faultOf = (error: NodeJS.ErrnoException) => {
    if (signal.aborted) return new KubeReadError('TimedOut', `${server} did not answer in time`, error)
    if (error instanceof AnswerTooLarge)
      return new KubeReadError('TooLarge', `${server} answered with too large an object`, error)
    return new KubeReadError('Unreachable', `${server} cannot be reached: ${error.code ?? error.message}`, error)
  }
  return {
    async get(path, maxBytes) {
      const { status, body } = await getter.get(path, maxBytes).catch(error => {
        throw faultOf(error)
      })
      if (status === 404) return undefined
      if (status !== 200) throw new KubeReadError('Status', `${server} answered ${status} to GET ${path}`)
      // Few bytes can be many values, which take far more memory than their text.
      if (sizeOf(body) > maxBytes) throw faultOf(new AnswerTooLarge())
      return parseJsonOr(
        body,
        error => new KubeReadError('BadReply', `${server} answered no JSON to GET ${path}`, error),
      )
    },
  }
}
