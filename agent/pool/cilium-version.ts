import * as v from 'valibot'
import type { KubeApi } from '../kube/api.ts'

const listShape = v.object({
  items: v.array(
    v.object({
      spec: v.object({
        template: v.object({ spec: v.object({ containers: v.array(v.object({ image: v.string() })) }) }),
      }),
    }),
  ),
})

/**
 * Version of the cluster's Cilium by its DaemonSet's image: `1.19.3`; undefined where that does not say it.
 * @throws KubeError
 */
export async function readCiliumVersion(api: KubeApi, signal: AbortSignal): Promise<string | undefined> {
  const query = { labelSelector: 'k8s-app=cilium' }
  const body = await api.request({ method: 'GET', path: '/apis/apps/v1/daemonsets', query, signal })
  const result = v.safeParse(listShape, body)
  if (!result.success) return undefined
  const images = result.output.items.flatMap(({ spec }) => spec.template.spec.containers.map(({ image }) => image))
  return images.map(versionOf).find(version => version !== undefined)
}

function versionOf(image: string): string | undefined {
  return /\/cilium[^/:@]*:v?(\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1]
}

/**
 * From 1.19.0 on, until 1.19.5, Cilium drops what comes to an address of a pool at a port that no Service has. Where it is
 * a node's own, that is SSH, kubelet and the API server. The first build before 1.20.0 has the same fault.
 */
export function isUnsafeCilium(version: string): boolean {
  return /^1\.19\.[0-4](-|$)/.test(version) || /^1\.20\.0-pre\.0$/.test(version)
}
