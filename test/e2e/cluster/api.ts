import { type ApiTarget, sendRequest } from '../../cluster/api-client.ts'

/** The API server refused a request. */
export class ApiRefused extends Error {
  override readonly name = 'ApiRefused'
  readonly code = 'ApiRefused'
  readonly status: number

  constructor(what: string, status: number, body: unknown) {
    super(`${what}: ${status} ${JSON.stringify(body).slice(0, 500)}`)
    this.status = status
  }
}

/** As much of any Kubernetes object as the cluster's own machinery looks at. */
export interface KubeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

/** Reads one object; undefined where it does not exist. */
export async function getObject<T extends object = KubeObject>(
  target: ApiTarget,
  path: string,
): Promise<T | undefined> {
  const answer = await sendRequest(target, { method: 'GET', path })
  if (answer.code === 404) return undefined
  if (answer.code !== 200) throw new ApiRefused(`GET ${path}`, answer.code, answer.body)
  return answer.body as T
}

/** Makes an object or brings it to the given state, by server-side apply. */
export async function applyObject(target: ApiTarget, path: string, object: object): Promise<void> {
  const answer = await sendRequest(target, {
    method: 'PATCH',
    path: `${path}?fieldManager=cluster&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: object,
  })
  if (answer.code !== 200 && answer.code !== 201) throw new ApiRefused(`apply ${path}`, answer.code, answer.body)
}
