import type { HeldDelete, RuleDelete, RuleWrite } from './actions.ts'
import { type ApplyParts, applyDeletes, applyWrites } from './apply.ts'
import type { DeleteBudget } from './budget.ts'
import type { Write } from './client.ts'
import { type GuardParts, judgeDeletes } from './guard.ts'
import type { MeshLists } from './lists.ts'
import { type EgressPlan, planEgress } from './plan.ts'
import type { ClusterNode, Mesh } from './world.ts'

/** What a pass works with. */
export interface PassParts extends Pick<ApplyParts, 'client' | 'onWrite'> {
  readonly lists: MeshLists
  /** The cluster's Nodes, as they are known now. */
  readonly nodes: () => Promise<readonly ClusterNode[]> | readonly ClusterNode[]
  /** One Node, as the API server has it now. */
  readonly readNode: (name: string, signal: AbortSignal) => ReturnType<GuardParts['readNode']>
  readonly cluster: string
  readonly budget: DeleteBudget
}

/** What a look has found, with every guard asked. */
export interface Outlook {
  readonly plan: EgressPlan
  readonly deletes: readonly RuleDelete[]
  readonly held: readonly HeldDelete[]
  readonly mesh: Mesh
}

/** Looks and judges; writes nothing. */
export async function lookAhead(parts: PassParts, signal: AbortSignal): Promise<Outlook> {
  const { plan, mesh } = await look(parts, signal)
  return { plan, mesh, ...(await judge(parts, plan, signal)) }
}

/**
 * Looks, makes and changes rules, and takes away what both this and a second reading want gone.
 * @throws what a write throws: it may have been done all the same, so the next pass lists anew
 */
export async function runPass(parts: PassParts, how: Write): Promise<Outlook> {
  const { plan, mesh } = await look(parts, how.signal)
  const writing: ApplyParts = { ...parts, how }
  try {
    if (plan.writes.length > 0) await applyWrites(plan.writes, writing)
    const judged = await judge(parts, plan, how.signal)
    if (judged.deletes.length > 0) await applyDeletes(judged.deletes, spending(writing, parts.budget))
    return { plan, mesh, ...judged }
  } finally {
    if (hasWork(plan)) parts.lists.forget()
  }
}

/** Lists that are not new are good enough to find nothing to do, and for nothing else. */
async function look(parts: PassParts, signal: AbortSignal, fresh = false): Promise<Pick<Outlook, 'plan' | 'mesh'>> {
  const { mesh, isOld } = await parts.lists.read(signal, fresh)
  const plan = planEgress({ nodes: await parts.nodes(), mesh, cluster: parts.cluster })
  return isOld && hasWork(plan) ? look(parts, signal, true) : { mesh, plan }
}

const hasWork = ({ writes, deletes }: EgressPlan) => writes.length + deletes.length > 0

async function judge(parts: PassParts, plan: EgressPlan, signal: AbortSignal) {
  if (plan.deletes.length === 0) return { deletes: [], held: plan.held }
  const again = await look(parts, signal, true)
  const managed = plan.networks.reduce((sum, { present }) => sum + present, 0)
  const readNode = (name: string) => parts.readNode(name, signal)
  return judgeDeletes(plan, again.plan, { readNode, budget: parts.budget.left(managed) })
}

/** One that may have been done counts as done. */
function spending(parts: ApplyParts, budget: DeleteBudget): ApplyParts {
  const onWrite: ApplyParts['onWrite'] = (write: RuleWrite | RuleDelete, error) => {
    budget.spend()
    parts.onWrite(write, error)
  }
  return { ...parts, onWrite }
}
