import t from 'tap'
import type { GateSettings } from '../../../../agent/config/settings.ts'
import type { Streak } from '../../../../agent/gate/board.ts'
import type { NodeCount } from '../../../../agent/gate/budget.ts'
import { noHistory } from '../../../../agent/gate/history.ts'
import { type GateAction, type GateInput, planGate } from '../../../../agent/gate/plan.ts'
import type { Verdict } from '../../../../agent/verdict/verdict.ts'
import { conditionOf, failing, firstRun, type NodeParts, nodeOf, nowMs, settings, verdictOf } from './samples.ts'

/** One plan: what is known and what is to be written. */
export interface PlanCase extends NodeParts {
  readonly name: string
  readonly verdict?: Verdict
  readonly verdictUid?: string
  readonly knownAgoMs?: number
  readonly liftedAgoMs?: number
  readonly streak?: Streak
  readonly settings?: Partial<GateSettings>
  readonly count?: NodeCount
  readonly want: readonly string[]
  readonly againMs?: number
  readonly asks?: 'count' | 'run'
}

export function inputOf(row: PlanCase): GateInput {
  return {
    node: nodeOf(row),
    verdict: row.verdict && { uid: row.verdictUid ?? 'u1', verdict: row.verdict, streak: row.streak ?? firstRun },
    settings: { ...settings, ...row.settings },
    history: { ...noHistory, openedMs: before(row.liftedAgoMs), knownMs: before(row.knownAgoMs) },
    count: row.count,
    nowMs,
  }
}

function before(agoMs: number | undefined): number | undefined {
  return agoMs === undefined ? undefined : nowMs - agoMs
}

/** An action in one word or two. */
function nameOf(action: GateAction): string {
  if (action.kind === 'marks') return action.taint
  return action.kind === 'condition' ? `${action.condition.status} ${action.condition.reason}` : action.event.reason
}

/** Proves each row by a test of its own. */
export function provePlans(cases: readonly PlanCase[]): void {
  for (const row of cases) {
    t.test(row.name, async t => {
      const plan = planGate(inputOf(row))
      t.same(plan.actions.map(nameOf), row.want)
      t.equal(plan.againMs, row.againMs)
      t.equal(plan.asks, row.asks)
    })
  }
}

export const good = verdictOf()
export const bad = verdictOf(failing('dns', 'NXDomain'))
export const badCondition = conditionOf('False', 'NXDomain', 'dns: NXDomain (x)')
export const waiting = conditionOf('Unknown', 'Verifying', 'the first verification has not ended')
