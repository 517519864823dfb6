import type { ContainerRecord } from '../../cni/networks/record.ts'
import type { StatusSection } from '../report/status.ts'
import type { AttachmentCounts } from './metrics.ts'
import { type NetworkStatus, networkStatusOf } from './status-plan.ts'

/** What a running pod has beside its default network, and why it lacks what else it asks for. */
interface PodAttachments {
  readonly networks: readonly Pick<NetworkStatus, 'name' | 'interface' | 'ips' | 'mac'>[]
  /** A sentence for each network that is missing. */
  readonly problems: readonly string[]
}

/** The further networks of this node's pods, for all who look. */
export interface AttachmentBoard {
  /**
   * @param pod `namespace/name`
   * @param record undefined = kactus knows of nothing
   */
  show(pod: string, record: ContainerRecord | undefined, problems: readonly string[]): void
  /** The pod is no more. */
  forget(pod: string): void
  readonly section: StatusSection
}

export function createAttachmentBoard(onCounts: (counts: AttachmentCounts) => void): AttachmentBoard {
  const pods = new Map<string, PodAttachments>()
  const count = (): AttachmentCounts => {
    let [attached, missing] = [0, 0]
    for (const { networks, problems } of pods.values()) {
      attached += networks.length
      missing += problems.length
    }
    return { attached, missing }
  }
  return {
    show(pod, record, problems) {
      const networks = record === undefined ? [] : furtherOf(record)
      if (networks.length + problems.length === 0) pods.delete(pod)
      else pods.set(pod, { networks, problems })
      onCounts(count())
    },
    forget(pod) {
      pods.delete(pod)
      onCounts(count())
    },
    section: {
      json() {
        const shown = [...pods].toSorted(([one], [other]) => (one < other ? -1 : 1))
        return { attachments: { ...count(), pods: shown.map(([pod, attachments]) => ({ pod, ...attachments })) } }
      },
      facts: () => [{ name: 'attachments', text: describe(count()) }],
    },
  }
}

function furtherOf(record: ContainerRecord): PodAttachments['networks'] {
  const further = networkStatusOf(record).filter(each => each.default !== true)
  return further.map(({ name, interface: ifname, ips, mac }) => ({
    name,
    ...(ifname !== undefined && { interface: ifname }),
    ...(ips !== undefined && { ips }),
    ...(mac !== undefined && { mac }),
  }))
}

function describe({ attached, missing }: AttachmentCounts): string {
  if (attached + missing === 0) return 'no pod has further networks'
  return `${attached} further networks of pods${missing === 0 ? '' : `, ${missing} missing`}`
}
