import type { StatusView } from '../document.ts'
import { countBy, groupDigits, plural, toneOfState, troublesOf } from '../summary.ts'
import { type Html, html } from './html.ts'
import { card, empty, icon } from './parts.ts'

type FleetNode = NonNullable<StatusView['fleet']>[number]
type State = FleetNode['state']

const states = Object.keys(toneOfState) as readonly State[]

/** So many are cards with their names; more are a cell each. */
const mostWithNames = 24
const mostCells = 5_000
const mostReasons = 12
const mostNames = 6

/** All nodes of the cluster at a glance, and by name those that are not verified. */
export function renderFleet({ fleet, remedy, leader }: StatusView): Html | undefined {
  if (leader === null) return undefined
  if (fleet === null) {
    const text = leader === 'leading' ? 'Nobody has looked at the nodes yet.' : 'Only who leads looks at the nodes.'
    return card('fleet', 'Nodes', '', empty(text))
  }
  const picture = fleet.length <= mostWithNames ? renderNames(fleet) : renderCells(fleet)
  return html`<section class="card wide" id="fleet" data-part><header><h2>Nodes</h2><span class="aside">${groupDigits(fleet.length)}${remedy?.on ? ` · ${plural(remedy.workers, 'worker pod')}` : ''}</span></header><div class="tiles">${states.map(state => renderTile(state, fleet))}</div>${picture}${renderReasons(fleet)}${remedy?.held ? html`<p class="note">Failed nodes are not deleted: ${remedy.held}</p>` : undefined}</section>`
}

function renderTile(state: State, fleet: readonly FleetNode[]): Html {
  const count = fleet.filter(node => node.state === state).length
  return html`<div class="tile ${toneOfState[state]}${count === 0 ? ' zero' : ''}"><b>${groupDigits(count)}</b><span>${state}</span></div>`
}

function renderNames(fleet: readonly FleetNode[]): Html {
  const cards = fleet.map(
    ({ name, state, reason }) =>
      html`<li class="${toneOfState[state]}">${icon(toneOfState[state])}<span>${name}<small>${reason === '' ? state : reason}</small></span></li>`,
  )
  return html`<ul class="names">${cards}</ul>`
}

function renderCells(fleet: readonly FleetNode[]): Html {
  const label = countBy(fleet, ({ state }) => state).map(([state, count]) => `${count} ${state}`)
  const cells = fleet
    .slice(0, mostCells)
    .map(({ name, state, reason }) => html`<i class="${toneOfState[state]}" title="${name}: ${state} ${reason}"></i>`)
  return html`<div class="cells" role="img" aria-label="${fleet.length} nodes: ${label.join(', ')}">${cells}</div>`
}

function renderReasons(fleet: readonly FleetNode[]): Html | undefined {
  const groups = troublesOf(fleet)
  if (groups.length === 0) return undefined
  const more = groups.length - mostReasons
  return html`<ul class="rows">${groups.slice(0, mostReasons).map(renderReason)}${more > 0 ? html`<li class="more">and ${more} more reasons</li>` : undefined}</ul>`
}

function renderReason(nodes: readonly FleetNode[]): Html {
  const [first] = nodes
  if (first === undefined) return html``
  const { state, reason, message } = first
  const names = nodes.slice(0, mostNames).map(({ name }) => name)
  const more = nodes.length > mostNames ? `, and ${nodes.length - mostNames} more` : ''
  return html`<li>${icon(toneOfState[state])}<span class="what">${reason === '' ? 'No word from its agent' : reason} <span class="muted">${state}</span></span><span class="where">${plural(nodes.length, 'node')}</span><p class="note">${names.join(', ')}${more}${message === '' ? '' : html`<br>${message}`}</p></li>`
}
