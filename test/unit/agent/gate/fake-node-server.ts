import type { NodeSight } from '../../../../agent/gate/duty.ts'
import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { type KubeNode, newerOf } from '../../../../agent/kube/node.ts'
import { type NodeParts, nodeBody, nodeOf } from './samples.ts'

/** Answers a request instead of the server; undefined = let the server answer. */
export type Interference = (request: KubeRequest, turn: number) => KubeError | NodeParts | undefined

/** A KubeApi with one Node. It checks what patches test, and takes what they say at their word. */
export interface FakeNodeServer extends KubeApi {
  readonly requests: readonly KubeRequest[]
  /** `PATCH /api/v1/nodes/n1` and so on, with the tested taints left out. */
  readonly calls: readonly string[]
  readonly sight: NodeSight
  set(parts: NodeParts): void
}

/** The agent sees `seen`; the server has `actual`, the same unless told. */
export function createNodeServer(
  seen: NodeParts,
  actual: NodeParts = seen,
  interfere: Interference = () => undefined,
): FakeNodeServer {
  const requests: KubeRequest[] = []
  let parts = actual
  let sight: KubeNode | undefined = nodeOf(seen)
  return {
    server: 'https://test',
    requests,
    get calls() {
      return requests.map(({ method, path }) => `${method} ${path}`)
    },
    sight: {
      current: () => sight,
      adopt: node => {
        sight = newerOf(sight, node)
      },
    },
    set(next) {
      parts = next
    },
    async request(request) {
      requests.push(request)
      const instead = interfere(request, requests.length)
      if (instead instanceof KubeError) throw instead
      if (instead !== undefined) parts = instead
      if (request.method === 'GET') return nodeBody(parts)
      if (request.path.endsWith('/events')) return {}
      refuseStale(request, parts)
      parts = request.path.endsWith('/status') ? withCondition(parts, request) : lifted(parts)
      return nodeBody(parts)
    },
  }
}

function refuseStale(request: KubeRequest, parts: NodeParts): void {
  const { uid = 'u1', taints = [] } = parts
  const steps = Array.isArray(request.body) ? request.body : []
  const holds = ({ op, path, value }: { op: string; path: string; value: unknown }) =>
    op !== 'test' || JSON.stringify(value) === JSON.stringify(path === '/metadata/uid' ? uid : taints)
  if (!steps.every(holds)) throw new KubeError('Invalid', 'a test failed', { status: 422 })
  const wanted = (request.body as { metadata?: { uid?: string } }).metadata?.uid
  if (wanted !== undefined && wanted !== uid) throw new KubeError('Conflict', 'another uid', { status: 409 })
}

function lifted(parts: NodeParts): NodeParts {
  const taints = (parts.taints ?? []).filter(taint => (taint as { key: string }).key !== 'node-ready/unverified')
  return { ...newer(parts), taints, labels: { ...parts.labels, 'node-ready/verified': 'true' } }
}

function withCondition(parts: NodeParts, request: KubeRequest): NodeParts {
  const { status } = request.body as { status: { conditions: readonly unknown[] } }
  return { ...newer(parts), conditions: status.conditions }
}

function newer(parts: NodeParts): NodeParts {
  return { ...parts, resourceVersion: String(Number(parts.resourceVersion ?? '1') + 1) }
}
