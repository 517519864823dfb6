import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../host/system-error.ts'
import { KactusCode } from '../networks/codes.ts'
import type { Attachment, ContainerRecord, PodRef } from '../networks/record.ts'
import { CniError } from '../spec/errors.ts'
import type { JsonObject } from '../spec/json.ts'
import type { Call } from './call.ts'
import type { ResolvedNetwork } from './lookup.ts'
import type { WantedNetwork } from './plan.ts'

/**
 * Gives each network that needs a device one of those that kubelet granted the pod, in order, none twice.
 * @throws CniError where there are fewer devices than networks
 */
export async function chosenDevices(
  call: Call,
  pod: PodRef | undefined,
  networks: readonly ResolvedNetwork[],
  present: ContainerRecord | undefined,
): Promise<readonly WantedNetwork[]> {
  const resources = new Set(networks.flatMap(({ object }) => object.resourceName ?? []))
  const granted = new Map<string, readonly string[]>()
  for (const resource of resources) granted.set(resource, await grantedTo(call, pod, resource))
  return assignDevices(networks, granted, present?.attachments ?? [])
}

/** Hands out what was granted, leaving what other attachments of the pod use. */
export function assignDevices(
  networks: readonly ResolvedNetwork[],
  granted: ReadonlyMap<string, readonly string[]>,
  present: readonly Attachment[],
): readonly WantedNetwork[] {
  const used = new Set(present.filter(({ status }) => status !== 'deleted').flatMap(deviceOf))
  return networks.map(network => {
    const { resourceName, namespace, name } = network.object
    if (resourceName === undefined) return { ...network, deviceId: undefined }
    const deviceId = granted.get(resourceName)?.find(id => !used.has(keyOf(resourceName, id)))
    if (deviceId === undefined) {
      const message = `network ${namespace}/${name} needs a device of ${resourceName}, and the pod has none left`
      throw new CniError(KactusCode.Devices, message)
    }
    used.add(keyOf(resourceName, deviceId))
    return { ...network, deviceId }
  })
}

function deviceOf({ list }: Attachment): readonly string[] {
  const { deviceID: id, resourceName: resource }: JsonObject = list.plugins[0] ?? {}
  return typeof id === 'string' && typeof resource === 'string' ? [keyOf(resource, id)] : []
}

function keyOf(resource: string, id: string): string {
  return `${resource} ${id}`
}

async function grantedTo(call: Call, pod: PodRef | undefined, resource: string): Promise<readonly string[]> {
  if (pod === undefined) return []
  const { kubeletDir } = call.conf
  const [fromApi, fromFile] = [fromPodResources(call, pod, resource), fromCheckpoint(kubeletDir, pod, resource)]
  return (await fromApi) ?? (await fromFile) ?? []
}

async function fromPodResources(call: Call, pod: PodRef, resource: string): Promise<readonly string[] | undefined> {
  const { devicesFromKubelet } = await import('./pod-resources.ts')
  try {
    const devices = await devicesFromKubelet(join(call.conf.kubeletDir, 'pod-resources/kubelet.sock'), pod, resource)
    // An empty answer may be an older one than the checkpoint's.
    return devices?.length === 0 ? undefined : devices
  } catch (error) {
    call.log.debug(messageOf(error))
    return undefined
  }
}

async function fromCheckpoint(
  kubeletDir: string,
  pod: PodRef,
  resource: string,
): Promise<readonly string[] | undefined> {
  if (pod.uid === undefined) return undefined
  const { devicesInCheckpoint } = await import('./device-checkpoint.ts')
  try {
    const text = await readFile(join(kubeletDir, 'device-plugins/kubelet_internal_checkpoint'), 'utf8')
    return devicesInCheckpoint(text, pod.uid, resource)
  } catch {
    return undefined
  }
}
