import { createHash } from 'node:crypto'
import type { StatusView } from '../document.ts'
import { agoOf, formatAge, headlineOf, staleness } from '../summary.ts'
import { renderAttachments } from './attachments.ts'
import { renderChecks } from './checks.ts'
import { renderEgress } from './egress.ts'
import { renderEvents } from './events.ts'
import { renderFleet } from './fleet.ts'
import { Html, html } from './html.ts'
import { liveScript } from './live.ts'
import { renderMesh } from './mesh.ts'
import { card, chip, icon, plainChip } from './parts.ts'
import { renderPool } from './pool.ts'
import { style } from './style.ts'

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The page may run its own script, ask its own server, and nothing else. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(liveScript)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A page of so many lines of text is not asked for every five seconds. */
const mostOften = 5
const large = 300

/** The status page: one file, nothing loaded from elsewhere, and itself again while somebody looks. */
export function renderPage(status: StatusView): string {
  const isLeader = status.leader !== null
  const size = (status.fleet?.length ?? 0) + (status.wireguard?.devices.flatMap(({ links }) => links).length ?? 0)
  const every = size > large ? 3 * mostOften : mostOften
  const parts = isLeader
    ? [renderFleet(status), columns([renderEgress, renderFacts], [renderPool, renderEvents], status)]
    : [columns([renderMesh, renderAttachments, renderFacts], [renderChecks, renderEvents], status)]
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">
<noscript><meta http-equiv="refresh" content="${2 * mostOften}"></noscript>
<title>${headlineOf(status).title} &middot; ${status.node} &middot; nopal</title><style>${new Html(style)}</style></head>
<body data-every="${every}">
<div class="bar">${logo}<span><b>nopal</b> ${isLeader ? 'leader' : 'agent'}</span><span id="live"><span role="status"></span><span class="age"></span></span></div>
<main>
${renderHero(status)}
${staleness(status).map(renderNotice)}
${parts.flatMap(part => part ?? [])}
</main>
<footer><span>nopal ${status.version}</span><a href="/status.json">status.json</a><a href="/metrics">metrics</a><a href="/health">health</a></footer>
<script>${new Html(liveScript)}</script>
</body>
</html>
`.text
}

type Render = (status: StatusView) => Html | undefined

/** Side by side where there is room; on a phone one below the other, by what matters first. */
function columns(left: readonly Render[], right: readonly Render[], status: StatusView): Html {
  const column = (all: readonly Render[]) => html`<div>${all.flatMap(render => render(status) ?? [])}</div>`
  return html`<div class="columns">${column(left)}${column(right)}</div>`
}

const logo = html`<svg viewBox="0 0 24 24" aria-hidden="true" class="good"><g fill="none" stroke="var(--tone)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"><path d="M12 21V4.5a2.2 2.2 0 0 1 0 0"/><path d="M12 15H8.2A3.2 3.2 0 0 1 5 11.800V9.500"/><path d="M12 12.500h3.800A3.200 3.200 0 0 0 19 9.300V7"/></g></svg>`

function renderHero(status: StatusView): Html {
  const { tone, title, text } = headlineOf(status)
  const name = status.leader === null ? status.node : 'nopal leader'
  return html`<section class="hero ${tone}" id="hero" data-part>${icon(tone)}<h1>${name} <span>${title}</span></h1><p>${text}</p><p class="since">${chipsOf(status)}</p></section>`
}

function chipsOf({ gate, verdictTime, api, time, startTime, leader, holder }: StatusView): readonly Html[] {
  // What the API does not tell any more may be otherwise by now.
  const seen = api?.answers === false && api.lastAnswer !== null ? agoOf(api.lastAnswer, time) : undefined
  const age = formatAge((Date.parse(time) - Date.parse(startTime)) / 1000)
  return [
    ...(gate === null ? [] : [chipOfGate(gate.tainted, seen)]),
    ...(verdictTime === null ? [] : [plainChip(`verified ${agoOf(verdictTime, time)}`)]),
    ...(api?.answers === true ? [chip('good', 'Kubernetes API answers')] : []),
    ...(api?.answers === false ? [chip('bad', 'Kubernetes API does not answer')] : []),
    ...(leader === 'leading' && holder ? [plainChip(`as ${holder}`)] : []),
    plainChip(`runs for ${age}`),
  ]
}

function chipOfGate(tainted: boolean, seen: string | undefined): Html {
  const text = tainted ? 'closed to pods' : 'open to pods'
  if (seen !== undefined) return chip('wait', `${text}, as of ${seen}`)
  return chip(tainted ? 'bad' : 'good', text)
}

function renderNotice(text: string): Html {
  return html`<p class="notice warn" id="notice" data-part role="alert">${icon('warn')}<span>${text}</span></p>`
}

function renderFacts({ facts, leader }: StatusView): Html {
  const rows = facts.map(({ name, text }) => html`<dt>${name}</dt><dd>${text}</dd>`)
  return card('facts', leader === null ? 'This node' : 'This leader', '', html`<dl class="facts">${rows}</dl>`)
}
