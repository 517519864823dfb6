import { type ContainerRecord, type PodRef, RecordError } from '../../cni/networks/record.ts'
import { listContainers, readRecord } from '../../cni/networks/record-folder.ts'
import { isSamePod } from '../../cni/networks/same-pod.ts'
import type { NodePod } from '../kube/pod.ts'

/** kactus' records, found by the pod. They are the only store of what is attached; whose they are never changes. */
export class PodRecords {
  /** Pod of each container, so that to find one record not all are read. */
  readonly #pods = new Map<string, PodRef | undefined>()

  /**
   * What kactus knows of a pod's sandboxes, old ones that are not taken away yet among them. A record that is none is of no
   * pod: it keeps the others from nothing.
   * @throws RecordError where one of this pod is none any more, or what reading a folder throws
   */
  ofPod(cniDir: string, { namespace, name, facts }: NodePod): readonly ContainerRecord[] {
    const ids = new Set(listContainers(cniDir))
    for (const id of this.#pods.keys()) if (!ids.has(id)) this.#pods.delete(id)
    return [...ids].flatMap(id => {
      const known = this.#pods.get(id)
      const record = known === undefined ? readWhole(cniDir, id) : undefined
      const ref = known ?? record?.pod
      if (ref === undefined) return []
      this.#pods.set(id, ref)
      const isOfPod = ref.namespace === namespace && ref.name === name && ref.uid !== undefined
      if (!isOfPod || !isSamePod(facts, ref.uid)) return []
      return record ?? readRecord(cniDir, id) ?? []
    })
  }
}

/** undefined = there is none, or something else in its place. */
function readWhole(cniDir: string, id: string): ContainerRecord | undefined {
  try {
    return readRecord(cniDir, id)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}
