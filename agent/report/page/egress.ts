import type { StatusView } from '../document.ts'
import { agoOf, groupDigits, networksOf, plural, type Tone } from '../summary.ts'
import { type Html, html } from './html.ts'
import { card, empty, icon, some } from './parts.ts'

type Rules = NonNullable<StatusView['egressRules']>

const mostRows = 8
const meterWidth = 100

/** The egress rules of this cluster, whether they are there, and whether they do anything. */
export function renderEgress(status: StatusView): Html | undefined {
  const { egressRules, egressError, time, leader } = status
  if (leader !== 'leading' || (egressRules === null && egressError === null)) return undefined
  const error =
    egressError === null
      ? undefined
      : html`<ul class="rows"><li>${icon('bad')}<span class="what">The last pass failed</span><span></span><p class="note">${egressError}</p></li></ul>`
  if (egressRules === null) return card('egress', 'Egress rules', '', html`${error}`)
  const { noEffect, held, unmatched } = egressRules
  const networks = networksOf(status)
  const rows = html`<ul class="rows">${networks.map(renderNetwork)}${some(noEffect, mostRows, renderNoEffect)}${some(unmatched, mostRows, renderUnmatched)}${some(held, mostRows, renderHeld)}</ul>`
  const body = networks.length + unmatched.length === 0 ? empty('There is no network to have rules in.') : rows
  return card('egress', 'Egress rules', `compared ${agoOf(egressRules.time, time)}`, html`${error}${body}`)
}

function renderNetwork({ network, wanted, present, held, noEffect }: Rules['networks'][number]): Html {
  const tone: Tone = noEffect > 0 || present < wanted ? 'warn' : 'good'
  const width = (count: number) => Math.round((meterWidth * Math.min(count, wanted)) / Math.max(1, wanted))
  const works = width(present - noEffect)
  const words = [
    ...(noEffect === 0 ? [] : [`${noEffect} without effect`]),
    ...(held === 0 ? [] : [`${plural(held, 'delete')} held`]),
  ]
  return html`<li>${icon(tone)}<span class="what">${network}</span><span class="where">${groupDigits(present)} of ${plural(wanted, 'rule')}</span><p class="note"><svg class="meter" viewBox="0 0 ${meterWidth} 8" preserveAspectRatio="none" aria-hidden="true"><rect class="good" width="${works}" height="8"/><rect class="warn" x="${works}" width="${width(noEffect)}" height="8"/></svg>${words.join(', ')}</p></li>`
}

function renderNoEffect({ node, network, range, missingAt, cause }: Rules['noEffect'][number]): Html {
  return html`<li>${icon('warn')}<span class="what">${node ?? ''} <code>${range}</code></span><span class="where">no effect</span><p class="note">in ${network}, missing on ${plural(missingAt, 'node')}; likely ${cause}</p></li>`
}

function renderUnmatched({ node, reason }: Rules['unmatched'][number]): Html {
  return html`<li>${icon('warn')}<span class="what">${node}</span><span class="where">no place</span><p class="note">${reason}</p></li>`
}

function renderHeld({ node, network, range, reason }: Rules['held'][number]): Html {
  return html`<li>${icon('wait')}<span class="what">${node ?? ''} <code>${range}</code></span><span class="where">delete held</span><p class="note">in ${network}: ${reason}</p></li>`
}
