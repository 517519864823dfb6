import { printJson } from '../../cni/spec/json.ts'
import type { HeldDelete, HoldReason, RuleDelete } from './actions.ts'
import type { EgressPlan } from './plan.ts'
import { canonicalRange } from './range.ts'
import type { ClusterNode } from './world.ts'

/** Deletes that may be done, and those that may not. */
export interface Judged {
  readonly deletes: readonly RuleDelete[]
  readonly held: readonly HeldDelete[]
}

export interface GuardParts {
  /** The Node of that name as the API server has it now; undefined = it has said that there is none. */
  readonly readNode: (name: string) => Promise<ClusterNode | undefined>
  /** Most deletes. */
  readonly budget: number
}

/**
 * Judges what one plan wants gone.
 * @param again the plan that a second reading of all lists has made: what it does not want gone stays
 */
export async function judgeDeletes(first: EgressPlan, again: EgressPlan, parts: GuardParts): Promise<Judged> {
  const agreed = agree(first, again)
  const ask = askOnce(parts.readNode)
  const verdicts = new Map<RuleDelete, HoldReason | undefined>()
  let allowed = 0
  for (const one of agreed.deletes) {
    const verdict = allowed < parts.budget ? await judge(one, ask) : 'Cap'
    verdicts.set(one, verdict)
    if (verdict === undefined) allowed += 1
  }
  // A Node that is there and was not listed: who else was not?
  const partial = [...verdicts.values()].includes('PartialList')
  const reasonOf = (one: RuleDelete) => (partial && one.reason === 'NodeGone' ? 'PartialList' : verdicts.get(one))
  const [deletes, held] = [[] as RuleDelete[], [...agreed.held]]
  for (const one of agreed.deletes) {
    const reason = reasonOf(one)
    if (reason === undefined) deletes.push(one)
    else held.push({ ...one, reason })
  }
  return { deletes, held }
}

/** The same rule, unchanged, for the same reason, by both readings. */
function agree(first: EgressPlan, again: EgressPlan): Judged {
  const key = ({ rule, reason }: RuleDelete) => `${reason} ${printJson(rule.raw)}`
  const seenAgain = new Set(again.deletes.map(key))
  const heldAgain = new Map(again.held.map(({ rule, reason }) => [rule.id, reason]))
  const others = first.deletes.filter(one => !seenAgain.has(key(one)))
  const held = others.map(one => ({ ...one, reason: heldAgain.get(one.rule.id) ?? ('Unconfirmed' as const) }))
  return { deletes: first.deletes.filter(one => seenAgain.has(key(one))), held: [...first.held, ...held] }
}

type Ask = (name: string) => Promise<ClusterNode | 'absent' | 'unknown'>

/** A refusal or a fault is no answer. */
function askOnce(readNode: GuardParts['readNode']): Ask {
  const asked = new Map<string, ReturnType<Ask>>()
  return name => {
    const answer =
      asked.get(name) ??
      readNode(name).then(
        node => node ?? ('absent' as const),
        () => 'unknown' as const,
      )
    asked.set(name, answer)
    return answer
  }
}

async function judge({ reason, nodes, rule }: RuleDelete, ask: Ask): Promise<HoldReason | undefined> {
  // The one that it doubles was there both times.
  if (reason === 'Duplicate') return undefined
  const answers = await Promise.all(nodes.map(ask))
  if (answers.includes('unknown')) return 'Unconfirmed'
  const present = answers.filter(answer => typeof answer === 'object')
  if (reason === 'NodeGone') return present.length > 0 ? 'PartialList' : undefined
  const [node] = present
  if (node === undefined) return 'Unconfirmed'
  const has = node.podCIDRs.map(canonicalRange).includes(canonicalRange(rule.range))
  return has ? 'Unconfirmed' : undefined
}
