import type { Metrics } from '../runtime/metrics.ts'
import type { MissingEffect } from './effect.ts'
import type { Outlook } from './pass.ts'

/** What is counted of egress rules. */
export interface EgressMetrics {
  show(outlook: Outlook): void
  showEffects(missing: readonly MissingEffect[]): void
  countWrite(action: string, outcome: 'done' | 'failed'): void
  countRequest(method: string, code: string): void
}

export function createEgressMetrics(metrics: Metrics): EgressMetrics {
  const rules = metrics.gauge('nopal_egress_rules', 'Egress rules of this cluster in Netmaker.', ['network', 'state'])
  const writes = metrics.counter('nopal_egress_writes_total', 'Writes of egress rules.', ['action', 'outcome'])
  const requests = metrics.counter('nopal_netmaker_requests_total', 'Calls to the Netmaker server.', ['method', 'code'])
  let networks: readonly string[] = []
  return {
    show({ plan, held }) {
      networks = plan.networks.map(({ network }) => network)
      // Networks that are no more.
      rules.reset()
      for (const { network, wanted, present } of plan.networks) {
        rules.set({ network, state: 'wanted' }, wanted)
        rules.set({ network, state: 'present' }, present)
        rules.set({ network, state: 'held' }, held.filter(({ rule }) => rule.network === network).length)
      }
    },
    showEffects(missing) {
      const countOf = (name: string) => missing.filter(({ network }) => network === name).length
      for (const network of networks) rules.set({ network, state: 'noeffect' }, countOf(network))
    },
    countWrite: (action, outcome) => writes.inc({ action, outcome }),
    countRequest: (method, code) => requests.inc({ method, code }),
  }
}
