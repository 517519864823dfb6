import { formatTable } from '../runtime/text-table.ts'
import { addressOf } from './block.ts'
import type { PoolAction } from './plan.ts'
import type { PoolLook } from './sync.ts'

/** A look as `nopal pool --output json` and the status have it. */
export function describeLook(pool: string, { version, live, plan, problems }: PoolLook) {
  return {
    pool,
    apiVersion: version ?? null,
    current: (live?.blocks ?? []).map(block => addressOf(block) ?? block.cidr ?? `${block.start}-${block.stop ?? ''}`),
    desired: plan?.desired ?? [],
    actions: plan?.actions ?? [],
    held: plan?.held ?? [],
    problems,
  }
}

export type PoolDocument = ReturnType<typeof describeLook>

/** The same for people. */
export function formatLook({ pool, apiVersion, current, actions, held, problems }: PoolDocument): string {
  const row = (state: string) => (one: PoolAction) => [
    one.action,
    one.block,
    String(one.server ?? '-'),
    one.reason,
    state,
  ]
  const rows = [...actions.map(row('')), ...held.map(row('held'))]
  const lines = [`pool ${pool}, ${apiVersion ?? 'not served'}: ${current.length} blocks`, ...problems]
  if (rows.length === 0) return `${[...lines, ...(problems.length === 0 ? ['nothing to do'] : [])].join('\n')}\n`
  return `${[...lines, formatTable([['ACTION', 'BLOCK', 'SERVER', 'REASON', ''], ...rows])].join('\n')}\n`
}
