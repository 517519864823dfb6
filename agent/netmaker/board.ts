import type { StatusSection } from '../report/status.ts'
import type { EgressDocument } from './document.ts'

/** What is known of the egress rules, for all who look. */
export interface EgressBoard {
  show(document: EgressDocument, nowMs: number): void
  fail(message: string): void
  /** Another process leads now, or none. */
  clear(): void
  readonly section: StatusSection
}

const mostRows = 50

export function createEgressBoard(): EgressBoard {
  let last: { readonly document: EgressDocument; readonly time: string } | undefined
  let error: string | undefined
  return {
    show(document, nowMs) {
      last = { document, time: new Date(nowMs).toISOString() }
      error = undefined
    },
    fail(message) {
      error = message
    },
    clear() {
      last = undefined
      error = undefined
    },
    section: {
      json: () => ({ egressRules: last === undefined ? null : { time: last.time, ...shortened(last.document) } }),
      facts: () => [{ name: 'egress rules', text: error ?? describe(last?.document) }],
      table() {
        const rows = (last?.document.held ?? []).slice(0, mostRows)
        const head = ['Held', 'Network', 'Node', 'Range']
        const toRow = (one: (typeof rows)[number]) => [
          { text: one.reason, tone: 'warn' as const },
          one.network,
          one.node ?? '',
          one.range,
        ]
        return rows.length === 0 ? undefined : { head, rows: rows.map(toRow) }
      },
    },
  }
}

function shortened({ cluster, actions, held, unmatched }: EgressDocument) {
  return {
    cluster,
    written: actions.length,
    held: held.slice(0, mostRows),
    unmatched: unmatched.slice(0, mostRows),
  }
}

function describe(document: EgressDocument | undefined): string {
  if (document === undefined) return 'not compared yet'
  const { actions, held, unmatched } = document
  const parts = [
    ...(actions.length === 0 ? [] : [`${actions.length} written`]),
    ...(held.length === 0 ? [] : [`${held.length} deletes held`]),
    ...(unmatched.length === 0 ? [] : [`${unmatched.length} nodes without a place`]),
  ]
  return parts.join(', ') || 'every pod CIDR has its rule'
}
