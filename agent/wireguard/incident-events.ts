import type { KubeEvent } from '../kube/events.ts'
import type { Incident } from './heal-plan.ts'
import type { HoldNotice } from './hold-notices.ts'

const mostNamed = 5

/** The Event of endpoints that have become wrong; undefined = none has. */
export function describeBegun(begun: readonly Incident[]): KubeEvent | undefined {
  if (begun.length === 0) return undefined
  const note = `the WireGuard endpoint of ${nameSome(begun)} is wrong: ${troublesOf(begun)}`
  return { type: 'Warning', reason: 'EndpointLeaked', note }
}

/** The Event of endpoints that are proved to be right again. */
export function describeEnded(ended: readonly Incident[]): KubeEvent | undefined {
  if (ended.length === 0) return undefined
  const byUs = ended.every(({ setMs }) => setMs !== undefined) ? 'was put right and' : 'is right again and'
  const note = `the WireGuard endpoint of ${nameSome(ended)} ${byUs} has proved to work`
  return { type: 'Normal', reason: 'EndpointHealed', note }
}

/** The Event of endpoints that nobody puts right for now. */
export function describeHeld({ reason, words, held }: HoldNotice): KubeEvent {
  const note = `the WireGuard endpoint of ${nameSome(held)} is left wrong: ${words} (${reason})`
  return { type: 'Warning', reason: 'HealHeld', note }
}

function troublesOf(incidents: readonly Incident[]): string {
  return [...new Set(incidents.map(({ trouble }) => trouble))].join(', ')
}

function nameSome(incidents: readonly Pick<Incident, 'node' | 'device'>[]): string {
  const names = incidents.map(({ node, device }) => `${node} on ${device}`)
  const more = names.length - mostNamed
  return `${names.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
