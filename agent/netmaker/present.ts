import { formatTable } from '../runtime/text-table.ts'
import type { ActionView, EgressDocument } from './document.ts'

const headings = ['ACTION', 'NETWORK', 'NODE', 'INDEX', 'RANGE', 'REASON', 'RULE']

/** The table of `nopal egress`: what is to be done, what is held, and which Nodes have no place. */
export function formatEgressText({ actions, held, unmatched }: EgressDocument): string {
  const rows = [...actions.map(toRow), ...held.map(one => toRow({ ...one, action: `hold ${one.action}` }))]
  const notes = unmatched.map(({ node, reason }) => `${node}: ${sentences[reason]}`)
  if (rows.length === 0 && notes.length === 0) return 'every pod CIDR has its rule\n'
  const table = rows.length === 0 ? [] : [formatTable([headings, ...rows])]
  return `${[...table, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n')}\n`
}

const sentences = {
  NoHost: 'no Netmaker host has its name',
  TwoHosts: 'several Netmaker hosts have its name',
  NotInNetwork: 'its Netmaker host is in no network',
  NoCIDR: 'it has no pod CIDR',
} as const

function toRow(view: Omit<ActionView, 'action'> & { readonly action: string }): readonly string[] {
  const { action, network, node, index, range, reason, id } = view
  return [action, network, node ?? '-', String(index), range, reason, id ?? '-']
}
