import type { PoolSettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { Clock } from '../runtime/clock.ts'
import { isUnsafeCilium, readCiliumVersion } from './cilium-version.ts'
import { createFight } from './fight.ts'
import { judge } from './judge.ts'
import type { Listing } from './listing.ts'
import { applyPool, findPoolVersion, type LivePool, type PoolVersion, type Removal, readPool } from './live-pool.ts'
import { countMisses, type Miss } from './misses.ts'
import { type PoolPlan, type PoolView, planPool } from './plan.ts'
import type { PoolNode } from './pool-node.ts'
import { listServiceAddresses } from './service-addresses.ts'

/** What one look at servers, Nodes, Services and pool has found. */
export interface PoolLook {
  readonly version: PoolVersion | undefined
  readonly live: LivePool | undefined
  /** `1.19.5`; undefined = not known. */
  readonly cilium: string | undefined
  /** Whether Hetzner Cloud's newest answer is a list of servers. */
  readonly listed: boolean
  /** Undefined = not enough is known for one. */
  readonly plan: PoolPlan | undefined
  /** What is wrong, for people. */
  readonly problems: readonly string[]
}

export interface PoolSyncOptions {
  readonly settings: PoolSettings
  /** Writes by it last as long as the term. */
  readonly api: KubeApi
  readonly listing: Listing
  /** Nodes by the number of their server; undefined = not known yet. */
  readonly nodes: () => ReadonlyMap<number, PoolNode> | undefined
  readonly clock: Clock
}

interface Facts extends Pick<PoolView, 'judged' | 'servers' | 'badAnswer' | 'nowMs'> {
  readonly live: LivePool | undefined
  readonly isNew: boolean
  /** The newest question to Hetzner Cloud was not answered: a server's absence is no news. */
  readonly isStale: boolean
}

/** Looks at the pool and changes it. What it remembers between two looks makes it slower to remove, never quicker. */
export class PoolSync {
  readonly #options: PoolSyncOptions
  readonly #fight = createFight()
  #misses: ReadonlyMap<string, Miss> = new Map()
  #version: PoolVersion | undefined
  #cilium: string | undefined

  constructor(options: PoolSyncOptions) {
    this.#options = options
  }

  /** @throws KubeError */
  async look(signal: AbortSignal): Promise<PoolLook> {
    const live = await this.#read(signal)
    const version = this.#version
    const nowMs = this.#options.clock.monotonic()
    this.#fight.saw(live && JSON.stringify(live.blocks), nowMs)
    const { servers, isNew, fault, badAnswer } = await this.#options.listing.current(signal)
    const nodes = this.#options.nodes()
    const problems = [
      ...(version === undefined ? ['this cluster serves no CiliumLoadBalancerIPPool'] : []),
      ...(fault === undefined ? [] : [fault]),
      ...(nodes === undefined ? ['the Nodes are not known yet'] : []),
    ]
    const look = { version, live, listed: fault === undefined }
    // An answer that cannot be trusted says nothing of any address, and that is said of each.
    const known = servers ?? (badAnswer ? [] : undefined)
    if (version === undefined || known === undefined || nodes === undefined)
      return { ...look, cilium: this.#cilium, plan: undefined, problems }
    if (isNew || this.#cilium === undefined) this.#cilium = await readCiliumVersion(this.#options.api, signal)
    const judged = judge(known, nodes, this.#options.settings)
    const facts = { live, judged, servers: known.length, isNew, isStale: fault !== undefined, badAnswer, nowMs }
    const view = await this.#view(facts, signal)
    const plan = planPool(view, this.#options.settings)
    problems.push(...this.#describe(view, live, plan))
    return { ...look, cilium: this.#cilium, plan, problems }
  }

  /**
   * Carries out the plan of a look.
   * @throws KubeError
   */
  async apply({ version, live, plan }: PoolLook, signal: AbortSignal): Promise<void> {
    if (version === undefined || plan === undefined || plan.actions.length === 0) return
    const count = plan.actions.filter(({ action }) => action === 'remove').length
    const removals = count === 0 ? [] : [{ atMs: this.#options.clock.now(), count }]
    const written = await applyPool(
      this.#options.api,
      {
        version,
        name: this.#options.settings.name,
        uid: live?.uid,
        blocks: plan.blocks,
        removals: [...this.#recent(live), ...removals],
      },
      signal,
    )
    this.#fight.wrote(JSON.stringify(written.blocks))
  }

  /** A path that is not there is no proof that the pool is not: Cilium may have been upgraded a moment ago. */
  async #read(signal: AbortSignal): Promise<LivePool | undefined> {
    const { api, settings } = this.#options
    const known = this.#version
    const live = known && (await readPool(api, { version: known, name: settings.name }, signal))
    if (live !== undefined) return live
    this.#version = await findPoolVersion(api, signal)
    if (this.#version === undefined || this.#version === known) return undefined
    return readPool(api, { version: this.#version, name: settings.name }, signal)
  }

  async #view({ live, isNew, isStale, ...facts }: Facts, signal: AbortSignal): Promise<PoolView> {
    const { api, settings } = this.#options
    const first: PoolView = {
      ...facts,
      blocks: live?.blocks,
      foreign: this.#isForeign(live, facts.nowMs),
      misses: new Map(),
      inUse: new Set(),
      ciliumUnsafe: this.#cilium !== undefined && isUnsafeCilium(this.#cilium),
      removed: this.#recent(live).reduce((sum, { count }) => sum + count, 0),
    }
    // Whatever is not wanted, and nothing keeps but that it was not missed for long enough.
    const plain = planPool({ ...first, badAnswer: false }, { ...settings, policy: 'sync' })
    const unwanted = plain.held.filter(({ reason }) => reason === 'Missed')
    const blocks = unwanted.map(({ block }) => block)
    this.#misses = countMisses(this.#misses, blocks, { nowMs: facts.nowMs, isNewList: isNew })
    const missed = isStale ? first : { ...first, misses: this.#misses }
    const removes = planPool(missed, settings).actions.some(({ action }) => action === 'remove')
    return removes ? { ...missed, inUse: await listServiceAddresses(api, signal) } : missed
  }

  #isForeign(live: LivePool | undefined, nowMs: number): boolean {
    if (this.#fight.isOn(nowMs)) return true
    return live !== undefined && !live.ours && !this.#options.settings.adopt
  }

  #recent(live: LivePool | undefined): readonly Removal[] {
    const since = this.#options.clock.now() - this.#options.settings.missTimeMs
    return (live?.removals ?? []).filter(({ atMs }) => atMs > since)
  }

  #describe(view: PoolView, live: LivePool | undefined, { held }: PoolPlan): readonly string[] {
    const { name, minAddresses } = this.#options.settings
    const owners = live === undefined || live.owners.length === 0 ? 'somebody else' : live.owners.join(', ')
    const fights = this.#fight.isOn(this.#options.clock.monotonic())
    const isForeign = live !== undefined && !live.ours && !this.#options.settings.adopt
    const is = (reason: string) => held.some(each => each.reason === reason)
    const sentences: readonly (readonly [boolean, string])[] = [
      [fights, `${owners} puts the blocks of pool ${name} back each time: nothing is written for an hour`],
      [isForeign && !fights, `pool ${name} belongs to ${owners}: set [pool] adopt to take it over`],
      [
        view.servers === 0 && !view.badAnswer && minAddresses > 0,
        'no server has these labels ([pool] label-selector): the pool stays as it is (NoServers)',
      ],
      [is('CiliumUnsafe'), `Cilium ${this.#cilium} cuts a node off whose own address is in a pool: upgrade to 1.19.5`],
      [live?.conflicting === true, `pool ${name} overlaps with an older pool: Cilium deals out nothing of it`],
    ]
    return sentences.filter(([applies]) => applies).map(([, sentence]) => sentence)
  }
}
