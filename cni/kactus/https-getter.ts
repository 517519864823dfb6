import type { KubeAccess } from './kubeconfig.ts'

/** An answer of the server, whatever it says. */
export interface HttpsAnswer {
  readonly status: number
  readonly body: string
}

/** GETs over HTTPS, on connections that are kept. It follows no redirect, so nobody else ever gets the token. */
export interface HttpsGetter {
  /** @throws any error where no whole answer came */
  get(path: string): Promise<HttpsAnswer>
}

/** No object in etcd is larger than a few MiB. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024

/** The headers of each request. */
export function headersFor({ token }: KubeAccess): Record<string, string> {
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return { accept: 'application/json', 'user-agent': 'kactus', ...bearer }
}
