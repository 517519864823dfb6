import { messageOf } from '../../cni/host/system-error.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import type { RuleDelete, RuleWrite } from './actions.ts'
import type { DeleteEvents } from './delete-events.ts'
import { logWrite } from './log-write.ts'
import { lookAhead, type Outlook, type PassParts, runPass } from './pass.ts'

export interface EgressDutyOptions {
  readonly parts: Omit<PassParts, 'onWrite'>
  /** Whether all Nodes have been told once. */
  readonly synced: () => boolean
  readonly intervalMs: number
  readonly dryRun: boolean
  /** Of the term: fires before anybody else may write. */
  readonly term: { readonly signal: AbortSignal; fence(): void }
  readonly teller: DeleteEvents
  readonly onWrite: (action: string, outcome: 'done' | 'failed') => void
  readonly onOutlook: (outlook: Outlook) => void
  readonly onFailure: (message: string) => void
  readonly log: Logger
}

/** The server may have forgotten a write that it has answered: it is looked at again soon, and ever later. */
const confirmMs = 1_000
/** A Node whose host is not there yet is looked for as soon as lists are made anew. */
const missingMs = 31_000

/** Keeps one rule for every range of every Node in each of its networks. */
export function createEgressDuty(options: EgressDutyOptions): Duty {
  const { log, teller, dryRun, term } = options
  let writingPasses = 0
  const pass = async (signal: AbortSignal) => {
    const events: Promise<void>[] = []
    const onWrite = (write: RuleWrite | RuleDelete, error: unknown) => {
      options.onWrite(write.action, error === undefined ? 'done' : 'failed')
      logWrite(log, write, error)
      if (error === undefined && write.action === 'delete') events.push(teller.tellDeleted(write, signal))
    }
    const parts = { ...options.parts, onWrite }
    try {
      return dryRun ? await lookAhead(parts, signal) : await runPass(parts, { signal, fence: () => term.fence() })
    } finally {
      await Promise.all(events)
    }
  }
  return {
    name: 'egress',
    async reconcile(stopping) {
      if (!options.synced()) return undefined
      const signal = AbortSignal.any([stopping, term.signal])
      const outlook = await pass(signal).catch((error: unknown) => {
        options.onFailure(messageOf(error))
        throw error
      })
      options.onOutlook(outlook)
      await teller.tellHeld(outlook.held, signal)
      const wrote = !dryRun && outlook.plan.writes.length + outlook.deletes.length > 0
      writingPasses = wrote ? writingPasses + 1 : 0
      return nextMs(outlook, { writingPasses, intervalMs: options.intervalMs })
    },
  }
}

interface Pace {
  /** Passes in a row that have written: somebody else may be writing too. */
  readonly writingPasses: number
  readonly intervalMs: number
}

function nextMs({ plan }: Outlook, { writingPasses, intervalMs }: Pace): number {
  const confirm = writingPasses === 0 ? intervalMs : confirmMs * 4 ** Math.min(writingPasses - 1, 10)
  const missing = plan.unmatched.length === 0 ? intervalMs : missingMs
  return Math.min(confirm, missing, intervalMs)
}
