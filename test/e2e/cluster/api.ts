import { ApiRefused, type ApiTarget, ask, sendRequest } from '../../cluster/api-client.ts'

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
  const request = { method: 'GET', path } as const
  const answer = await sendRequest(target, request)
  if (answer.code === 404) return undefined
  if (answer.code !== 200) throw new ApiRefused(request, answer)
  return answer.body as T
}

/** Makes an object or brings it to the given state, by server-side apply. */
export async function applyObject(target: ApiTarget, path: string, object: object): Promise<void> {
  await ask(target, {
    method: 'PATCH',
    path: `${path}?fieldManager=cluster&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: object,
  })
}
