import { isNetns } from '../../cni/host/netns.ts'
import type { ContainerRecord } from '../../cni/networks/record.ts'
import { readRecord } from '../../cni/networks/record-folder.ts'
import { uidOnNode } from '../../cni/networks/same-pod.ts'
import type { NodePod } from '../kube/pod.ts'
import type { PodRecords } from './records.ts'

/** A pod's network namespace, and what the runtime knows it by. */
export interface PodSandbox {
  readonly containerId: string
  /** Path on the host. */
  readonly netns: string
  /** What kactus knows of it; undefined = it was attached by somebody else. */
  readonly record: ContainerRecord | undefined
}

/** A sandbox that the runtime has, ready or not. */
export interface RuntimeSandbox {
  readonly containerId: string
  readonly podUid: string
}

/** The container runtime, as far as sandboxes go. Whatever it is asked throws where it does not answer. */
export interface SandboxRuntime {
  /** The sandbox of a pod that is ready; undefined = it has none. */
  readySandbox(podUid: string, signal: AbortSignal): Promise<{ containerId: string; netns: string } | undefined>
  /** All there are; undefined = there is no runtime to ask. */
  sandboxes(signal: AbortSignal): Promise<readonly RuntimeSandbox[] | undefined>
}

export interface SandboxSources {
  readonly records: PodRecords
  readonly runtime: SandboxRuntime
  /** A path of the host as this process sees it. */
  readonly here: (path: string) => string
}

/**
 * Finds the sandbox that a pod lives in: by kactus' record, and where that does not say, by the runtime.
 * @param how `asks`: whether the runtime may be asked
 */
export async function findSandbox(
  { records, runtime, here }: SandboxSources,
  pod: NodePod,
  how: { readonly cniDir: string; readonly asks: boolean; readonly signal: AbortSignal },
): Promise<PodSandbox | undefined> {
  const known = records.ofPod(how.cniDir, pod).filter(({ netns }) => isNetns(here(netns)))
  const [only, ...more] = known
  if (only !== undefined && more.length === 0) return { containerId: only.containerId, netns: only.netns, record: only }
  if (!how.asks) return undefined
  const ready = await runtime.readySandbox(uidOnNode(pod.facts), how.signal)
  return ready && { ...ready, record: readRecord(how.cniDir, ready.containerId) }
}
