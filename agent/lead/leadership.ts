import type { LeaderState } from '../kube/election.ts'
import type { StatusSection } from '../report/status.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** Whether this process leads, for all who look. */
export interface Leadership {
  /** @param holder who has the Lease, as far as this process knows; empty = nobody */
  show(state: LeaderState, holder: string): void
  readonly section: StatusSection
}

const sentences: Readonly<Record<LeaderState, string>> = {
  unknown: 'the cluster has not said who leads',
  standby: 'stands by',
  leading: 'leads',
}

export function createLeadership(metrics: Metrics): Leadership {
  const gauge = metrics.gauge('nopal_leader', '1 while this process leads, else 0.')
  gauge.set(0)
  let state: LeaderState = 'unknown'
  let holder = ''
  return {
    show(now, has) {
      state = now
      holder = has
      gauge.set(now === 'leading' ? 1 : 0)
    },
    section: {
      json: () => ({ leader: state, holder }),
      facts: () => [{ name: 'leader', text: describe(state, holder) }],
      missing: () => (state === 'unknown' ? [sentences.unknown] : []),
    },
  }
}

function describe(state: LeaderState, holder: string): string {
  if (state !== 'standby') return sentences[state]
  return `${sentences.standby}: ${holder === '' ? 'nobody leads' : `${holder} leads`}`
}
