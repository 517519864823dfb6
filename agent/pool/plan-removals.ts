import { addressOf, type Block } from './block.ts'
import type { Decided, PlanSettings, PoolReason, PoolView } from './plan.ts'

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
export function planRemovals(view: RemovalView, settings: PlanSettings): readonly Decided[] {
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
