import type { ContainerRecord } from '../../cni/networks/record.ts'
import { isNotFound, type KubeApi } from '../kube/api.ts'
import { isStale } from '../kube/node-writer.ts'
import { digestOf, type NodePod, STATUS_ANNOTATION } from '../kube/pod.ts'
import type { KactusConf } from './plan.ts'
import { networkStatusOf } from './status-plan.ts'

/** Writes on pods which interfaces they have. */
export interface StatusTeller {
  tell(pod: NodePod, record: ContainerRecord, conf: KactusConf, signal: AbortSignal): Promise<void>
}

/** A pod that has its default network alone, and never asked for another, is not written to: most pods are such. */
export function createStatusTeller(api: KubeApi): StatusTeller {
  return {
    async tell(pod, record, { multusReader }, signal) {
      const status = networkStatusOf(record)
      const isOurs = multusReader === 'kactus' && (status.length > 1 || pod.told !== undefined)
      const text = JSON.stringify(status)
      if (!isOurs || digestOf(text) === pod.told) return
      const { namespace, name, facts } = pod
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/status`
      // Another pod of that name is refused by the uid.
      const body = { metadata: { uid: facts.uid, annotations: { [STATUS_ANNOTATION]: text } } }
      const contentType = 'application/merge-patch+json'
      await api.request({ method: 'PATCH', path, body, contentType, signal }).catch(error => {
        if (!isGone(error)) throw error
      })
    },
  }
}

/** There is no such pod any more, or another one under its name. */
function isGone(error: unknown): boolean {
  return isStale(error) || isNotFound(error)
}
