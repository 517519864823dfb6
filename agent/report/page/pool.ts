import type { StatusView } from '../document.ts'
import { plural } from '../summary.ts'
import { type Html, html } from './html.ts'
import { card, empty, icon, some } from './parts.ts'

const mostAddresses = 24
const mostHeld = 8

/** The load-balancer pool: what is in it, what comes and goes, and what is held back. */
export function renderPool({ pool, leader }: StatusView): Html | undefined {
  if (leader !== 'leading' || pool === null) return undefined
  const { current, desired, held, problems } = pool
  const bare = (block: string) => block.replace(/\/(32|128)$/, '')
  const coming = desired.filter(block => !current.includes(block))
  const going = current.filter(block => !desired.includes(block))
  const words = [...current.filter(block => !going.includes(block)).map(bare)]
  const all = [
    ...coming.map(block => html`<li class="good">+ ${bare(block)}</li>`),
    ...going.map(block => html`<li class="warn">&minus; ${bare(block)}</li>`),
    ...words.map(block => html`<li>${block}</li>`),
  ]
  const faults = problems.map(text => html`<li>${icon('bad')}<span class="what">${text}</span></li>`)
  const heldRow = ({ action, block, reason }: (typeof held)[number]) =>
    html`<li>${icon('wait')}<span class="what">${action} <code>${bare(block)}</code></span><span class="where">held: ${reason}</span></li>`
  const list =
    all.length === 0
      ? empty('The pool is empty.')
      : html`<ul class="addresses">${some(all, mostAddresses, one => one)}</ul>`
  const aside = `${pool.pool} · ${plural(current.length, 'block')}`
  return card(
    'pool',
    'Pool',
    aside,
    html`<ul class="rows">${faults}</ul>${list}<ul class="rows">${some(held, mostHeld, heldRow)}</ul>`,
  )
}
