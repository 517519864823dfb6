import { messageOf } from '../../cni/host/system-error.ts'
import type { PoolSettings } from '../config/settings.ts'
import { KubeError } from '../kube/api.ts'
import type { EventRecorder, KubeEvent } from '../kube/events.ts'
import { isStale } from '../kube/node-writer.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import type { PoolBoard } from './board.ts'
import type { Listing } from './listing.ts'
import type { PoolMetrics } from './metrics.ts'
import type { PoolAction } from './plan.ts'
import type { PoolLook, PoolSync } from './sync.ts'

export interface PoolDutyOptions {
  readonly settings: PoolSettings
  readonly sync: Pick<PoolSync, 'look' | 'apply'>
  readonly listing: Pick<Listing, 'nextMs'>
  readonly board: Pick<PoolBoard, 'show' | 'fail'>
  readonly metrics: Pick<PoolMetrics, 'show' | 'countWrite'>
  readonly events: EventRecorder
  readonly log: Logger
  /** The pool is as it should be, or is kept as it is for a reason that passes. */
  readonly onSuccess: () => void
}

/** So soon a refused write is planned anew. */
const againMs = 1_000
/** So many changes are named in a line of the log. */
const mostLogged = 50

/** Keeps the pool as the servers and their Nodes have it. */
export function createPoolDuty(options: PoolDutyOptions): Duty {
  const { settings, sync, listing, board, metrics, log } = options
  const tell = createTeller(options)
  const reconcile = async (signal: AbortSignal) => {
    const look = await sync.look(signal)
    board.show(look)
    metrics.show(look)
    await tell.found(look, signal)
    const actions = look.plan?.actions ?? []
    if (actions.length > 0 && !settings.dryRun) {
      if (!(await write(look, signal))) return againMs
      log.info({ pool: settings.name, count: actions.length, actions: actions.slice(0, mostLogged) }, 'pool written')
      await tell.wrote(look, signal)
      return againMs
    }
    if (look.problems.length === 0) options.onSuccess()
    return Math.max(listing.nextMs(), againMs)
  }
  const write = async (look: PoolLook, signal: AbortSignal) => {
    try {
      await sync.apply(look, signal)
      metrics.countWrite('written')
      return true
    } catch (error) {
      metrics.countWrite(isStale(error) ? 'refused' : 'failed')
      // Another pool has its name now, or somebody has made one.
      if (error instanceof KubeError && error.status === 409) return false
      throw error
    }
  }
  return {
    name: 'pool',
    async reconcile(signal) {
      try {
        return await reconcile(signal)
      } catch (error) {
        board.fail(messageOf(error))
        throw error
      }
    },
  }
}

/** Says what is new, once, in the log and as Events of the pool. */
function createTeller({ settings, events, log }: PoolDutyOptions) {
  let said = ''
  let held = ''
  let warned = false
  const record = (look: PoolLook, event: KubeEvent, signal: AbortSignal) => {
    const apiVersion = look.version ?? 'cilium.io/v2'
    const pool = { apiVersion, kind: 'CiliumLoadBalancerIPPool', name: settings.name, uid: look.live?.uid ?? '' }
    return events.record(pool, event, signal)
  }
  return {
    async found(look: PoolLook, signal: AbortSignal) {
      const note = look.problems.join('; ')
      if (note !== said && note !== '') {
        log.warn({ pool: settings.name, problems: look.problems }, 'pool is not kept up')
        await record(look, { type: 'Warning', reason: 'PoolNotKept', note }, signal)
      }
      said = note
      if (look.plan !== undefined && look.cilium === undefined && !warned) {
        warned = true
        log.warn({ pool: settings.name }, 'which Cilium there is cannot be seen: 1.19.0 to 1.19.4 would cut nodes off')
      }
      const back = (look.plan?.held ?? []).filter(({ reason }) => reason !== 'Missed')
      const list = describeActions(back)
      if (list !== held && list !== '') {
        log.info({ pool: settings.name, held: back }, 'changes of the pool are held back')
        await record(look, { type: 'Warning', reason: 'PoolChangeHeld', note: list }, signal)
      }
      held = list
    },
    wrote: (look: PoolLook, signal: AbortSignal) =>
      record(look, { type: 'Normal', reason: 'PoolChanged', note: describeActions(look.plan?.actions ?? []) }, signal),
  }
}

function describeActions(actions: readonly PoolAction[]): string {
  return actions.map(({ action, block, reason }) => `${action} ${block} (${reason})`).join(', ')
}
