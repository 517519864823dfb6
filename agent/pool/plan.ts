import type { PoolSettings } from '../config/settings.ts'
import { addressOf, type Block, holds } from './block.ts'
import type { Judged } from './judge.ts'
import type { Miss } from './misses.ts'

/** Why an action is done, or is held back. */
export type PoolReason =
  | 'NewServer'
  | 'ServerGone'
  | 'NotWanted'
  | 'InUse'
  | 'Floor'
  | 'Share'
  | 'Missed'
  | 'Policy'
  | 'Foreign'
  | 'CiliumUnsafe'
  | 'NoServers'
  | 'BadAnswer'

/** One change of the pool; `create` makes the pool, with this block in it. */
export interface PoolAction {
  readonly action: 'add' | 'remove' | 'create'
  readonly block: string
  /** Number of the server; null where no server has the address. */
  readonly server: number | null
  readonly reason: PoolReason
}

/** All that is known when the plan is made. */
export interface PoolView {
  /** Undefined = there is no pool. */
  readonly blocks: readonly Block[] | undefined
  /** Not ours to write to. */
  readonly foreign: boolean
  /** What the servers say, by block. */
  readonly judged: ReadonlyMap<string, Judged>
  /** How many servers there are at all. */
  readonly servers: number
  readonly misses: ReadonlyMap<string, Miss>
  /** Addresses that Services have, as blocks. */
  readonly inUse: ReadonlySet<string>
  /** What Hetzner Cloud has said last cannot be trusted. */
  readonly badAnswer: boolean
  /** Cilium cuts a node off whose own address it deals out. */
  readonly ciliumUnsafe: boolean
  /** Addresses removed within miss-time. */
  readonly removed: number
  /** Of the clock that never jumps. */
  readonly nowMs: number
}

export interface PoolPlan {
  readonly actions: readonly PoolAction[]
  readonly held: readonly PoolAction[]
  /** Addresses that the servers ask for, by number of the server. */
  readonly desired: readonly string[]
  /** All blocks once the actions are done: those that stay in their order, the new ones after them. */
  readonly blocks: readonly Block[]
}

export type PlanSettings = Pick<
  PoolSettings,
  'policy' | 'minAddresses' | 'maxRemovals' | 'misses' | 'missTimeMs' | 'allowUnsafeCilium'
>

/** What is to be done to the pool. Pure. */
export function planPool(view: PoolView, settings: PlanSettings): PoolPlan {
  const current = withoutCopies(view.blocks ?? [])
  const desired = [...view.judged].filter(([, { wish }]) => wish === 'add').map(([block]) => block)
  const adds = sort(planAdds(current, view, settings))
  const removals = sort(planRemovals({ ...view, current, coming: adds.done.length }, settings))
  const actions = [...removals.done, ...adds.done]
  const held = [...removals.held, ...adds.held]
  if (view.foreign)
    return { actions: [], held: [...held, ...actions.map(asForeign)], desired, blocks: view.blocks ?? [] }
  const gone = new Set(removals.done.map(({ block }) => block))
  const staying = current.filter(block => !gone.has(addressOf(block) ?? ''))
  return { actions, held, desired, blocks: [...staying, ...adds.done.map(({ block }) => ({ cidr: block }))] }
}

/** Two equal blocks of a pool conflict with each other. */
function withoutCopies(blocks: readonly Block[]): readonly Block[] {
  const keys = blocks.map(block => addressOf(block) ?? JSON.stringify(block))
  return blocks.filter((_, index) => keys.indexOf(keys[index] ?? '') === index)
}

function asForeign(action: PoolAction): PoolAction {
  return { ...action, reason: 'Foreign' }
}

/** An action, and whether it is held back by its reason. */
interface Decided extends PoolAction {
  readonly isHeld: boolean
}

function sort(decided: readonly Decided[]) {
  const plain = ({ isHeld: _, ...action }: Decided): PoolAction => action
  return {
    done: decided.filter(({ isHeld }) => !isHeld).map(plain),
    held: decided.filter(({ isHeld }) => isHeld).map(plain),
  }
}

function planAdds(current: readonly Block[], view: PoolView, settings: PlanSettings): readonly Decided[] {
  const present = new Set(current.map(addressOf))
  const others = current.filter(block => addressOf(block) === undefined)
  const action = view.blocks === undefined ? 'create' : 'add'
  const held = heldAdd(view, settings)
  return [...view.judged]
    .filter(([block, { wish }]) => wish === 'add' && !present.has(block) && !others.some(other => holds(other, block)))
    .map(([block, { server }]) => ({
      action,
      block,
      server,
      reason: held ?? 'NewServer',
      isHeld: held !== undefined,
    }))
}

function heldAdd({ blocks, ciliumUnsafe, badAnswer }: PoolView, settings: PlanSettings): PoolReason | undefined {
  if (badAnswer) return 'BadAnswer'
  if (settings.policy === 'create-only' && blocks !== undefined) return 'Policy'
  return ciliumUnsafe && !settings.allowUnsafeCilium ? 'CiliumUnsafe' : undefined
}

interface RemovalView extends PoolView {
  readonly current: readonly Block[]
  /** How many addresses are added at the same time. */
  readonly coming: number
}

/** An address that is not wanted, and why. */
interface Candidate {
  readonly block: string
  readonly server: number | null
  readonly reason: 'ServerGone' | 'NotWanted'
  /** Only if it was missed often and long enough. */
  readonly hasToLast: boolean
}

/** What leaves the pool, and what would if nothing kept it. */
function planRemovals(view: RemovalView, settings: PlanSettings): readonly Decided[] {
  const single = view.current.map(addressOf).filter(block => block !== undefined)
  let left = single.length + view.coming
  let allowed = mostRemovals(single.length + view.removed, settings) - view.removed
  const addresses = single
    .map(block => findCandidate(block, view))
    .filter(candidate => candidate !== undefined)
    .map((candidate): Decided => {
      const { hasToLast: _, ...removal } = candidate
      const held = heldByItself(candidate, view, settings) ?? heldByNumber({ left, allowed }, settings)
      if (held !== undefined) return { action: 'remove', ...removal, reason: held, isHeld: true }
      left -= 1
      allowed -= 1
      return { action: 'remove', ...removal, isHeld: false }
    })
  return [...addresses, ...foreignBlocks(view.current)]
}

/** What people have written that is no single address is theirs, and stays. */
function foreignBlocks(current: readonly Block[]): readonly Decided[] {
  return current
    .filter(block => addressOf(block) === undefined)
    .map(({ cidr, start = '', stop }) => {
      const block = cidr ?? (stop === undefined ? start : `${start}-${stop}`)
      return { action: 'remove', block, server: null, reason: 'Foreign', isHeld: true }
    })
}

function findCandidate(block: string, { judged }: PoolView): Candidate | undefined {
  const known = judged.get(block)
  if (known === undefined) return { block, server: null, reason: 'ServerGone', hasToLast: true }
  if (known.wish === 'add' || known.wish === 'keep') return undefined
  return { block, server: known.server, reason: 'NotWanted', hasToLast: known.wish === 'miss' }
}

function heldByItself({ block, hasToLast }: Candidate, view: PoolView, settings: PlanSettings): PoolReason | undefined {
  if (view.badAnswer) return 'BadAnswer'
  if (settings.policy !== 'sync') return 'Policy'
  if (view.servers === 0 && settings.minAddresses > 0) return 'NoServers'
  const miss = view.misses.get(block)
  const lasts = miss !== undefined && miss.count >= settings.misses && view.nowMs - miss.sinceMs >= settings.missTimeMs
  if (hasToLast && !lasts) return 'Missed'
  return view.inUse.has(block) ? 'InUse' : undefined
}

function heldByNumber(
  { left, allowed }: { readonly left: number; readonly allowed: number },
  { minAddresses }: PlanSettings,
): PoolReason | undefined {
  if (left <= minAddresses) return 'Floor'
  return allowed <= 0 ? 'Share' : undefined
}

function mostRemovals(all: number, { maxRemovals }: PlanSettings): number {
  return Math.max(1, 'nodes' in maxRemovals ? maxRemovals.nodes : Math.floor(maxRemovals.share * all))
}
