import type { GateSettings } from '../../../../agent/config/settings.ts'
import { createVerdictBoard } from '../../../../agent/gate/board.ts'
import { createGateDuty, type MarksWrite } from '../../../../agent/gate/duty.ts'
import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { createEventRecorder } from '../../../../agent/kube/events.ts'
import { createLease } from '../../../../agent/kube/lease.ts'
import { type KubeNode, parseNode } from '../../../../agent/kube/node.ts'
import { createNodeWriter } from '../../../../agent/kube/node-writer.ts'
import { listNodes } from '../../../../agent/kube/nodes.ts'
import type { Verdict } from '../../../../agent/verdict/verdict.ts'
import { Fault } from '../../../fakes/apiserver/fault.ts'
import type { JsonObject } from '../../../fakes/apiserver/json.ts'
import { applyJsonPatch } from '../../../fakes/apiserver/json-patch.ts'
import { handOut } from '../kube/hand-out.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { ownLabel, ownTaint, passedCondition, settings } from './samples.ts'

interface StoredNode {
  metadata: { name: string; uid: string; resourceVersion: string; labels: Record<string, string> }
  spec: { taints?: readonly Readonly<Record<string, unknown>>[] }
  status: { conditions: readonly unknown[] }
}

interface StoredLease {
  metadata: { resourceVersion?: string }
  spec: { holderIdentity: string }
}

/** What the API says to a request instead of doing it; undefined = it does it. */
export type Refuse = (request: KubeRequest) => KubeError | undefined

/** Nodes `n0`, `n1`, ... that are verified and open, and one Lease. */
export class FakeCluster {
  readonly requests: KubeRequest[] = []
  readonly nodes: StoredNode[]
  readonly clock = createFakeClock(Date.parse('2026-01-01T12:00:00Z'))
  refuse: Refuse = () => undefined
  /** What happens between the plan to taint a node and its write. */
  beforeShut: () => void = () => undefined
  /** Most nodes that ever had our taint at once. */
  mostTainted = 0
  #lease: StoredLease | undefined
  #version = 100

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, at) => ({
      metadata: { name: `n${at}`, uid: `u${at}`, resourceVersion: '1', labels: { ...ownLabel } },
      spec: {},
      status: { conditions: [passedCondition] },
    }))
  }

  readonly api: KubeApi = {
    server: 'https://test',
    request: async request => {
      this.requests.push(request)
      // What others do at the same moment comes in between.
      await new Promise(resolve => setImmediate(resolve))
      request.signal?.throwIfAborted()
      const refusal = this.refuse(request)
      if (refusal !== undefined) throw refusal
      return handOut(request, this.#answer(request))
    },
  }

  get tainted(): readonly string[] {
    return this.nodes.filter(({ spec }) => hasOwnTaint(spec.taints)).map(({ metadata }) => metadata.name)
  }

  /** An agent on one of the nodes, its gate and its verdicts. */
  agent(at: number, changes: Partial<GateSettings> = {}) {
    const log = createRecordingLogger()
    const writes: MarksWrite[] = []
    const { clock, api } = this
    const gate: GateSettings = { ...settings, mode: 'continuous', ...changes }
    const board = createVerdictBoard(gate, clock)
    let runs = 0
    let sight = this.sight(at)
    board.observe(sight)
    const duty = createGateDuty({
      settings: gate,
      sight: {
        current: () => sight,
        adopt: node => {
          sight = node
          board.observe(node)
        },
      },
      verdict: board.current,
      writer: createNodeWriter(api, `n${at}`),
      closing: {
        lease: createLease({ api, namespace: 'nopal', name: 'gate', holder: `n${at}`, clock, log }),
        writer: api => {
          this.beforeShut()
          return createNodeWriter(api, `n${at}`)
        },
        nodes: signal => listNodes(api, signal),
        verify: () => {
          runs += 1
        },
      },
      events: createEventRecorder({ api, clock, log, instance: `n${at}` }),
      clock,
      log,
      onWrite: write => writes.push(write),
    })
    return {
      log,
      writes,
      /** How often it asked for one more run. */
      asked: () => runs,
      /** The watch tells what there is now. */
      look: () => {
        sight = this.sight(at)
        return board.observe(sight)
      },
      find: (verdict: Verdict) => board.finish(board.begin(), verdict),
      run: () => duty.reconcile(new AbortController().signal),
    }
  }

  sight(at: number): KubeNode {
    const node = parseNode(structuredClone(this.nodes[at]))
    if (node === undefined) throw new Error('the sample is no node')
    return node
  }

  #answer(request: KubeRequest): unknown {
    const { method, path } = request
    if (path.includes('/leases')) return this.#answerLease(request)
    if (path.endsWith('/events')) return {}
    if (path === '/api/v1/nodes') return { metadata: { resourceVersion: '1' }, items: structuredClone(this.nodes) }
    const at = this.nodes.findIndex(({ metadata }) => path.startsWith(`/api/v1/nodes/${metadata.name}`))
    if (method === 'PATCH') this.#patch(at, request)
    return structuredClone(this.nodes[at])
  }

  #patch(at: number, { path, body }: KubeRequest): void {
    const node = this.nodes[at]
    if (node === undefined) throw new KubeError('NotFound', 'no such node', { status: 404 })
    this.#version += 1
    const { conditions } = path.endsWith('/status') ? (body as StoredPatch).status : node.status
    const patched = path.endsWith('/status') ? node : this.#patched(node, body)
    const metadata = { ...patched.metadata, resourceVersion: String(this.#version) }
    this.nodes[at] = { ...patched, metadata, status: { conditions } }
    this.mostTainted = Math.max(this.mostTainted, this.tainted.length)
  }

  #patched(node: StoredNode, body: unknown): StoredNode {
    try {
      return applyJsonPatch(node as unknown as JsonObject, body) as unknown as StoredNode
    } catch (error) {
      if (error instanceof Fault) throw new KubeError('Invalid', error.message, { status: 422 })
      throw error
    }
  }

  #answerLease({ method, body }: KubeRequest): unknown {
    if (method === 'GET') {
      if (this.#lease === undefined) throw new KubeError('NotFound', 'no lease', { status: 404 })
      return this.#lease
    }
    const { metadata, spec } = body as StoredLease
    if (metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) {
      throw new KubeError('Conflict', 'changed', { status: 409 })
    }
    this.#version += 1
    this.#lease = { metadata: { resourceVersion: String(this.#version) }, spec }
    return this.#lease
  }
}

interface StoredPatch {
  readonly status: { readonly conditions: readonly unknown[] }
}

function hasOwnTaint(taints: StoredNode['spec']['taints']): boolean {
  return (taints ?? []).some(({ key, effect }) => key === ownTaint.key && effect === ownTaint.effect)
}
