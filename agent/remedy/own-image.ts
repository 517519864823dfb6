import * as v from 'valibot'
import type { KubeApi } from '../kube/api.ts'
import { RemedyError } from './ports.ts'
import type { WorkerTemplate } from './worker-pod.ts'

/** Where the leader's own pod is, if it is one. */
export interface OwnPod {
  readonly namespace: string
  readonly name: string | undefined
}

const shape = v.object({
  spec: v.object({
    containers: v.tupleWithRest([v.object({ image: v.pipe(v.string(), v.minLength(1)) })], v.unknown()),
  }),
})

/**
 * Image of the pod that this process runs in.
 * @throws KubeError, RemedyError NoImage
 */
export async function readOwnImage(
  api: KubeApi,
  { namespace, name }: OwnPod,
  signal: AbortSignal,
): Promise<Pick<WorkerTemplate, 'image'>> {
  const setting = 'setting [remedy] image: must be set'
  if (name === undefined)
    throw new RemedyError('NoImage', `${setting} where the leader runs in no pod that POD_NAME names`)
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}`
  const result = v.safeParse(shape, await api.request({ method: 'GET', path, signal }))
  if (!result.success) throw new RemedyError('NoImage', `${setting}, the pod ${name} does not say what it runs`)
  return { image: result.output.spec.containers[0].image }
}
