import type { StatusSection } from '../report/status.ts'
import type { NodeState } from './node-plan.ts'
import type { RemedyPlan } from './plan.ts'
import type { Worker } from './worker.ts'

/** What the status says of remedy. */
export interface RemedyBoard {
  show(plan: RemedyPlan, workers: readonly Worker[]): void
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

const mostNamed = 100

/** @param on whether worker pods are made at all */
export function createRemedyBoard(on: boolean): RemedyBoard {
  let shown: Shown | undefined
  return {
    show(plan, workers) {
      shown = describe(plan, workers)
    },
    clear() {
      shown = undefined
    },
    section: {
      json: () => ({ remedy: shown === undefined ? null : { on, ...shown } }),
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

function sentence({ nodes, workers, held }: Shown, on: boolean): string {
  const counts = Object.entries(nodes).map(([state, count]) => `${count} ${state}`)
  const pods = on ? `; ${workers} worker pods` : ''
  return `${counts.join(', ')}${pods}${held === null ? '' : `; failed nodes are not deleted: ${held}`}`
}
