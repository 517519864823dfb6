import * as v from 'valibot'
import { type KubeApi, orAbsent } from './api.ts'

const shape = v.object({
  items: v.array(v.object({ spec: v.nullish(v.object({ cidrs: v.array(v.string()) })) })),
})

/**
 * The networks that Services get their addresses from. An API server before 1.33 does not tell: then there are none.
 * @throws KubeError
 */
export async function readServiceCIDRs(api: KubeApi, signal: AbortSignal): Promise<readonly string[]> {
  const asked = api.request({ method: 'GET', path: '/apis/networking.k8s.io/v1/servicecidrs', signal })
  const parsed = v.safeParse(shape, await asked.catch(orAbsent))
  return parsed.success ? parsed.output.items.flatMap(({ spec }) => spec?.cidrs ?? []) : []
}
