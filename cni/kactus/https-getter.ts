import type { KubeAccess } from './kubeconfig.ts'

/** An answer of the server, whatever it says. */
export interface HttpsAnswer {
  readonly status: number
  readonly body: string
}

/** GETs over HTTPS, on connections that are kept. It follows no redirect, so nobody else ever gets the token. */
export interface HttpsGetter {
  /**
   * @param maxBytes of the answer's body
   * @throws AnswerTooLarge, or any error where no whole answer came
   */
  get(path: string, maxBytes: number): Promise<HttpsAnswer>
}

/** The answer goes on beyond the limit; what came of it is let go. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
  readonly code = 'TooLarge'
}

/** The headers of each request. */
export function headersFor({ token }: KubeAccess): Record<string, string> {
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return { accept: 'application/json', 'user-agent': 'kactus', ...bearer }
}
