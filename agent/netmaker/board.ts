import type { StatusSection } from '../report/status.ts'
import type { EgressDocument } from './document.ts'
import type { MissingEffect } from './effect.ts'

/** What is known of the egress rules, for all who look. */
export interface EgressBoard {
  show(document: EgressDocument, nowMs: number): void
  /** Rules that are there and have not come to all nodes. */
  showEffects(missing: readonly MissingEffect[]): void
  fail(message: string): void
  /** Another process leads now, or none. */
  clear(): void
  readonly section: StatusSection
}

const mostRows = 50

export function createEgressBoard(): EgressBoard {
  let last: { readonly document: EgressDocument; readonly time: string } | undefined
  let error: string | undefined
  let effects: readonly MissingEffect[] = []
  return {
    show(document, nowMs) {
      last = { document, time: new Date(nowMs).toISOString() }
      error = undefined
    },
    showEffects(missing) {
      effects = missing
    },
    fail(message) {
      error = message
    },
    clear() {
      last = undefined
      error = undefined
      effects = []
    },
    section: {
      json: () => ({
        egressRules: last === undefined ? null : { time: last.time, ...shortened(last.document, effects) },
        egressError: error ?? null,
      }),
      facts: () => [{ name: 'egress rules', text: error ?? describe(last?.document) }],
    },
  }
}

function shortened({ cluster, actions, held, unmatched, networks }: EgressDocument, effects: readonly MissingEffect[]) {
  const noEffect = effects.slice(0, mostRows).map(({ missingAt, ...one }) => ({ ...one, missingAt: missingAt.length }))
  return {
    cluster,
    networks: networks.map(one => ({
      ...one,
      noEffect: effects.filter(({ network }) => network === one.network).length,
    })),
    written: actions.length,
    held: held.slice(0, mostRows),
    unmatched: unmatched.slice(0, mostRows),
    noEffect,
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
