import { CodedError } from '../host/coded-error.ts'
import { sizeOf } from '../networks/bounds.ts'
import { type Json, JsonError, parseJson } from '../spec/json.ts'
import { AnswerTooLarge, type HttpsGetter, openHttps } from './https.ts'
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
  return new HttpsKubeReader(openHttps(access, signal), `the API server ${access.server.host}`, signal)
}

class HttpsKubeReader implements KubeReader {
  readonly #getter: HttpsGetter
  readonly #server: string
  readonly #signal: AbortSignal

  constructor(getter: HttpsGetter, server: string, signal: AbortSignal) {
    this.#getter = getter
    this.#server = server
    this.#signal = signal
  }

  async get(path: string, maxBytes: number): Promise<Json | undefined> {
    const { status, body } = await this.#getter.get(path, maxBytes).catch(error => this.#fail(error))
    if (status === 404) return undefined
    if (status !== 200) throw new KubeReadError('Status', `${this.#server} answered ${status} to GET ${path}`)
    // Few bytes can be many values, which take far more memory than their text.
    if (sizeOf(body) > maxBytes) this.#fail(new AnswerTooLarge())
    try {
      return parseJson(body)
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      throw new KubeReadError('BadReply', `${this.#server} answered no JSON to GET ${path}`, error)
    }
  }

  #fail(error: NodeJS.ErrnoException): never {
    if (this.#signal.aborted) {
      throw new KubeReadError('TimedOut', `${this.#server} did not answer in time`, error)
    }
    if (error instanceof AnswerTooLarge) {
      throw new KubeReadError('TooLarge', `${this.#server} answered with too large an object`, error)
    }
    const why = error.code ?? error.message
    throw new KubeReadError('Unreachable', `${this.#server} cannot be reached: ${why}`, error)
  }
}
