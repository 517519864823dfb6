import { callGrpc } from '../../cni/host/grpc.ts'
import { bytesField, readFields, stringsOf, trueField } from '../../cni/host/protobuf.ts'
import { field, isJsonObject, type Json, type JsonObject, parseJson } from '../../cni/spec/json.ts'
import type { RuntimeSandbox, SandboxRuntime } from './sandbox.ts'

const service = '/runtime.v1.RuntimeService'
const limitMs = 10_000
const mostBytes = 16 * 2 ** 20
/** By which kubelet finds the sandboxes of a pod. */
const uidLabel = 'io.kubernetes.pod.uid'

/** Asks a container runtime by the Container Runtime Interface, as kubelet does: containerd and CRI-O. */
export function createCri(socket: string): SandboxRuntime {
  const ask = async (method: string, message: Uint8Array, signal: AbortSignal) =>
    readFields(await callGrpc({ socket, method: `${service}/${method}`, message, limitMs, mostBytes, signal }))
  const list = async (filter: Uint8Array, signal: AbortSignal) =>
    ((await ask('ListPodSandbox', bytesField(1, filter), signal)).get(1) ?? []).map(sandboxFrom)
  return {
    sandboxes: signal => list(new Uint8Array(), signal),
    async readySandbox(podUid, signal) {
      const [only, ...more] = await list(readyOf(podUid), signal)
      if (only === undefined || more.length > 0) return undefined
      const question = Buffer.concat([bytesField(1, only.containerId), trueField(2)])
      const netns = netnsFrom(await ask('PodSandboxStatus', question, signal))
      return netns === undefined ? undefined : { containerId: only.containerId, netns }
    },
  }
}

/** PodSandboxFilter: state (2), of which READY is the one that is not written, and labels (3). */
function readyOf(podUid: string): Uint8Array {
  const label = Buffer.concat([bytesField(1, uidLabel), bytesField(2, podUid)])
  return Buffer.concat([bytesField(2, new Uint8Array()), bytesField(3, label)])
}

/** PodSandbox: id (1), metadata (2) with the pod's UID (2). */
function sandboxFrom(message: Uint8Array): RuntimeSandbox {
  const fields = readFields(message)
  const [metadata = new Uint8Array()] = fields.get(2) ?? []
  const [containerId = ''] = stringsOf(fields, 1)
  const [podUid = ''] = stringsOf(readFields(metadata), 2)
  return { containerId, podUid }
}

/** PodSandboxStatusResponse: info (2), by names, each a JSON text of the runtime's own; both runtimes give the OCI spec. */
function netnsFrom(answer: ReadonlyMap<number, readonly Uint8Array[]>): string | undefined {
  const entries = (answer.get(2) ?? []).map(entry => readFields(entry))
  const info = entries.find(entry => stringsOf(entry, 1)[0] === 'info')
  const [text = '{}'] = info === undefined ? [] : stringsOf(info, 2)
  const spec = inner(inner(parseJson(text), 'runtimeSpec'), 'linux')
  const namespaces = spec === undefined ? undefined : field(spec, 'namespaces')
  const all = Array.isArray(namespaces) ? (namespaces as readonly Json[]).filter(isJsonObject) : []
  const path = all.filter(each => field(each, 'type') === 'network').map(each => field(each, 'path'))[0]
  // Without a path it is the host's own.
  return typeof path === 'string' && path !== '' ? path : undefined
}

function inner(value: Json | undefined, key: string): JsonObject | undefined {
  const found = isJsonObject(value) ? field(value, key) : undefined
  return isJsonObject(found) ? found : undefined
}
