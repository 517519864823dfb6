import * as v from 'valibot'
import type { KubeApi } from '../kube/api.ts'
import { listPages } from '../kube/list.ts'
import { blockOfAddress } from './block.ts'

const serviceShape = v.object({
  status: v.object({
    loadBalancer: v.object({ ingress: v.array(v.object({ ip: v.optional(v.string(), '') })) }),
  }),
})

/**
 * The addresses that Services of the cluster have now, as blocks.
 * @throws KubeError
 */
export async function listServiceAddresses(api: KubeApi, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const used = new Set<string>()
  const read = ({ body }: { readonly body: unknown }) => {
    const result = v.safeParse(serviceShape, body)
    return result.success ? result.output.status.loadBalancer.ingress.map(({ ip }) => ip) : undefined
  }
  for await (const { values } of listPages({ api, path: '/api/v1/services', signal, read }))
    for (const address of values.flat()) {
      const block = blockOfAddress(address)
      if (block !== undefined) used.add(block)
    }
  return used
}
