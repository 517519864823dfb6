import { printCniArgs } from '../../cni/spec/args.ts'
import { type AttachTo, addChain, delChain } from '../../cni/spec/chain.ts'
import type { ConfList } from '../../cni/spec/conf.ts'
import type { JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { NodePod } from '../kube/pod.ts'
import type { Step } from './plan.ts'
import type { PodSandbox } from './sandbox.ts'

/**
 * Makes one call of the node's CNI, as the seed's podagent does and anybody could.
 * @returns the result of an attach; undefined of a detach
 * @throws CniError with kactus' own words
 */
export async function callStep(
  runner: PluginRunner,
  list: ConfList,
  about: { readonly pod: NodePod; readonly sandbox: PodSandbox; readonly step: Step },
): Promise<JsonObject | undefined> {
  const to = placeOf(about.pod, about.sandbox, about.step)
  if (about.step.action === 'attach') return addChain(runner, list, to)
  await delChain(runner, list, to)
  return undefined
}

function placeOf(pod: NodePod, { containerId, netns, record }: PodSandbox, step: Step): AttachTo {
  // Without a default network of its own making kactus asks to be told that this is meant.
  const isAdopted = record?.attachments.some(({ isPrimary }) => isPrimary) !== true
  const args = printCniArgs([
    ['IgnoreUnknown', '1'],
    ['K8S_POD_NAMESPACE', pod.namespace],
    ['K8S_POD_NAME', pod.name],
    ['K8S_POD_INFRA_CONTAINER_ID', containerId],
    ['K8S_POD_UID', pod.facts.uid],
    ['K8S_POD_NETWORK', step.network],
    ...(step.mac === undefined ? [] : [['K8S_POD_IFMAC', step.mac] as const]),
    ...(isAdopted ? [['NOPAL_ADOPT', '1'] as const] : []),
  ])
  return { containerId, netns, ifname: step.ifname, args, capabilityArgs: {} }
}
