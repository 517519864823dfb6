import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import type { PodRef } from '../networks/record.ts'
import { ProtobufError, readFields, stringsOf } from './protobuf.ts'

/** kubelet's pod-resources API could not be asked. */
class PodResourcesError extends Error {
  override readonly name = 'PodResourcesError'
  readonly code = 'PodResources'
}

const METHOD = '/v1.PodResourcesLister/List'
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 10_000

/**
 * Asks kubelet, over gRPC by hand, which devices of a resource a pod was granted.
 * @returns the devices' ids; undefined = kubelet does not know the pod
 * @throws PodResourcesError
 */
export async function devicesFromKubelet(
  socket: string,
  pod: PodRef,
  resource: string,
): Promise<readonly string[] | undefined> {
  const answer = await callList(socket)
  try {
    return devicesIn(messageOf(answer), pod, resource)
  } catch (error) {
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

/** A gRPC message: one byte for compression, four for the length, the content. */
function messageOf(body: Buffer): Uint8Array {
  if (body.length < 5) throw new PodResourcesError('kubelet answered nothing')
  if (body[0] !== 0) throw new PodResourcesError('kubelet answered compressed, unasked')
  const end = 5 + body.readUInt32BE(1)
  if (end > body.length) throw new PodResourcesError("kubelet's answer is cut off")
  return body.subarray(5, end)
}

function callList(socket: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) })
    const timer = setTimeout(() => fail(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
    const close = () => {
      clearTimeout(timer)
      session.destroy()
    }
    const fail = (error: Error) => {
      close()
      reject(new PodResourcesError(`kubelet cannot be asked: ${error.message}`, { cause: error }))
    }
    session.on('error', fail)
    const stream = session.request({
      ':method': 'POST',
      ':path': METHOD,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let total = 0
    let status: unknown
    stream.on('response', headers => {
      status = headers['grpc-status']
    })
    stream.on('trailers', headers => {
      status = headers['grpc-status']
    })
    stream.on('data', (chunk: Buffer) => {
      total += chunk.length
      if (total > MAX_ANSWER_BYTES) fail(new Error('its answer is too large'))
      else chunks.push(chunk)
    })
    stream.on('error', fail)
    stream.on('end', () => {
      if (String(status ?? '0') !== '0') return fail(new Error(`gRPC status ${String(status)}`))
      close()
      return resolve(Buffer.concat(chunks))
    })
    // An empty ListPodResourcesRequest.
    stream.end(Buffer.alloc(5))
  })
}
