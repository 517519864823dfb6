import type { LeaderState } from '../kube/election.ts'
import type { StatusSection } from '../report/status.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** Whether this process leads, for all who look. */
export interface Leadership {
  show(state: LeaderState): void
  readonly section: StatusSection
}

const sentences: Readonly<Record<LeaderState, string>> = {
  unknown: 'the cluster has not said who leads',
  standby: 'stands by: another leads',
  leading: 'leads',
}

export function createLeadership(metrics: Metrics): Leadership {
  const gauge = metrics.gauge('nopal_leader', '1 while this process leads, else 0.')
  gauge.set(0)
  let state: LeaderState = 'unknown'
  return {
    show(now) {
      state = now
      gauge.set(now === 'leading' ? 1 : 0)
    },
    section: {
      json: () => ({ leader: state }),
      facts: () => [{ name: 'leader', text: sentences[state] }],
      missing: () => (state === 'unknown' ? [sentences.unknown] : []),
    },
  }
}
