import { type KubeApi, KubeError } from './api.ts'
import { type KubeNode, parseNode } from './node.ts'

/** One step of a JSON Patch (RFC 6902). */
export interface JsonPatchStep {
  readonly op: 'test' | 'add' | 'replace' | 'remove'
  readonly path: string
  readonly value?: unknown
}

/** A condition as it is written. */
export interface ConditionWrite {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastHeartbeatTime: string
  readonly lastTransitionTime: string
}

/** Writes to one Node. Every write fails, and changes nothing, if the Node has been replaced by another. */
export interface NodeWriter {
  read(signal: AbortSignal): Promise<KubeNode>
  /** All steps or none. Returns the node as it is then. */
  patch(uid: string, steps: readonly JsonPatchStep[], signal: AbortSignal): Promise<KubeNode>
  /** Adds or replaces the condition of that type; all others stay. */
  setCondition(uid: string, condition: ConditionWrite, signal: AbortSignal): Promise<KubeNode>
}

export function createNodeWriter(api: KubeApi, name: string): NodeWriter {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  return {
    read: async signal => checked(await api.request({ method: 'GET', path, signal })),
    async patch(uid, steps, signal) {
      const body = [{ op: 'test', path: '/metadata/uid', value: uid }, ...steps]
      const contentType = 'application/json-patch+json'
      return checked(await api.request({ method: 'PATCH', path, body, contentType, signal }))
    },
    async setCondition(uid, condition, signal) {
      // Conditions merge by type, so nobody else's are touched; a uid that differs is refused.
      const body = { metadata: { uid }, status: { conditions: [condition] } }
      const contentType = 'application/strategic-merge-patch+json'
      return checked(await api.request({ method: 'PATCH', path: `${path}/status`, body, contentType, signal }))
    },
  }
}

function checked(body: unknown): KubeNode {
  const node = parseNode(body)
  if (node === undefined) throw new KubeError('BadReply', 'the answer is no Node')
  return node
}

/** One key of a JSON Patch path, escaped. */
export function patchKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Whether the write was refused because the object is not as it was when it was read (a failed `test` is a 422). */
export function isStale(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 409 || error.status === 422)
}
