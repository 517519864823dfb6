import type { Watched } from '../kube/derive.ts'
import type { KubeNode } from '../kube/node.ts'
import type { StatusSection } from '../report/status.ts'
import type { NodeState } from './node-plan.ts'
import type { RemedyPlan } from './plan.ts'
import type { Worker } from './worker.ts'

/** What the status says of remedy. */
export interface RemedyBoard {
  show(plan: RemedyPlan, workers: readonly Worker[], nodes: Pick<Watched<KubeNode>, 'get'>): void
  /** This process leads no more. */
  clear(): void
  readonly section: StatusSection
}

interface Shown {
  readonly nodes: Readonly<Record<NodeState, number>>
  /** Names, in order; the first hundred. */
  readonly failed: readonly string[]
  readonly workers: number
  readonly held: string | null
}

/** What is told of one node. */
interface FleetNode {
  readonly name: string
  readonly state: NodeState
  /** Of its condition; empty where it has none. */
  readonly reason: string
  /** What the condition says, of a node that is not verified. */
  readonly message?: string
  /** When its agent last wrote the condition. */
  readonly heard: string | null
}

const mostNamed = 100
const longestMessage = 300

/**
 * @param on whether worker pods are made at all
 * @param conditionType of the condition by which an agent says how its node is
 */
export function createRemedyBoard(on: boolean, conditionType: string): RemedyBoard {
  let shown: Shown | undefined
  let fleet: () => readonly FleetNode[] = () => []
  return {
    show(plan, workers, nodes) {
      shown = describe(plan, workers)
      const { states } = plan
      fleet = () =>
        [...states].flatMap(([name, state]) => {
          const node = nodes.get(name)
          return node === undefined ? [] : describeNode(node, state, conditionType)
        })
    },
    clear() {
      shown = undefined
      fleet = () => []
    },
    section: {
      json: () => ({
        remedy: shown === undefined ? null : { on, ...shown },
        fleet: shown === undefined ? null : fleet().toSorted((one, other) => (one.name < other.name ? -1 : 1)),
      }),
      facts: () => (shown === undefined ? [] : [{ name: 'nodes', text: sentence(shown, on) }]),
    },
  }
}

function describe({ states, held }: RemedyPlan, workers: readonly Worker[]): Shown {
  const count = (state: NodeState) => [...states.values()].filter(each => each === state).length
  const failed = [...states].filter(([, state]) => state === 'failed').map(([name]) => name)
  return {
    nodes: {
      verified: count('verified'),
      unverified: count('unverified'),
      verifying: count('verifying'),
      failed: failed.length,
    },
    failed: failed.toSorted().slice(0, mostNamed),
    workers: workers.filter(({ endedMs }) => endedMs === undefined).length,
    held: held?.why ?? null,
  }
}

function describeNode({ name, conditions }: KubeNode, state: NodeState, conditionType: string): FleetNode {
  const condition = conditions.find(({ type }) => type === conditionType)
  const { reason = '', message = '', heartbeatMs } = condition ?? {}
  return {
    name,
    state,
    reason,
    ...(state === 'verified' ? {} : { message: message.slice(0, longestMessage) }),
    heard: heartbeatMs === undefined ? null : new Date(heartbeatMs).toISOString(),
  }
}

function sentence({ nodes, workers, held }: Shown, on: boolean): string {
  const counts = Object.entries(nodes).map(([state, count]) => `${count} ${state}`)
  const pods = on ? `; ${workers} worker pods` : ''
  return `${counts.join(', ')}${pods}${held === null ? '' : `; failed nodes are not deleted: ${held}`}`
}
