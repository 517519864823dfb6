import { callGrpc, GrpcError } from '../host/grpc.ts'
import { ProtobufError, readFields, stringsOf } from '../host/protobuf.ts'
import type { PodRef } from '../networks/record.ts'

/** kubelet's pod-resources API could not be asked. */
class PodResourcesError extends Error {
  override readonly name = 'PodResourcesError'
  readonly code = 'PodResources'
}

const METHOD = '/v1.PodResourcesLister/List'
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 10_000

/**
 * Asks kubelet, over gRPC, which devices of a resource a pod was granted.
 * @returns the devices' ids; undefined = kubelet does not know the pod
 * @throws PodResourcesError
 */
export async function devicesFromKubelet(
  socket: string,
  pod: PodRef,
  resource: string,
): Promise<readonly string[] | undefined> {
  try {
    // An empty ListPodResourcesRequest.
    const question = {
      socket,
      method: METHOD,
      message: new Uint8Array(),
      limitMs: TIMEOUT_MS,
      mostBytes: MAX_ANSWER_BYTES,
    }
    return devicesIn(await callGrpc(question), pod, resource)
  } catch (error) {
    if (error instanceof GrpcError)
      throw new PodResourcesError(`kubelet cannot be asked: ${error.message}`, { cause: error })
    if (!(error instanceof ProtobufError)) throw error
    throw new PodResourcesError(`kubelet's answer is not understood: ${error.message}`, { cause: error })
  }
}

/** ListPodResourcesResponse: pods (1) with name (1), namespace (2) and containers (3) with devices (2). */
export function devicesIn(response: Uint8Array, pod: PodRef, resource: string): readonly string[] | undefined {
  for (const bytes of readFields(response).get(1) ?? []) {
    const fields = readFields(bytes)
    if (stringsOf(fields, 1)[0] !== pod.name || stringsOf(fields, 2)[0] !== pod.namespace) continue
    const devices = (fields.get(3) ?? []).flatMap(container => readFields(container).get(2) ?? [])
    // ContainerDevices: resource_name (1), device_ids (2).
    return devices.flatMap(device => {
      const inner = readFields(device)
      return stringsOf(inner, 1)[0] === resource ? stringsOf(inner, 2) : []
    })
  }
  return undefined
}
