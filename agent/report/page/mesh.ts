import type { StatusView } from '../document.ts'
import { countBy, formatAge, groupDigits, type Link, linksOf, nameOf, plural } from '../summary.ts'
import { type Html, html } from './html.ts'
import { drawMesh, drawSign } from './mesh-picture.ts'
import { toneOf } from './mesh-tone.ts'
import { card, empty, icon, some } from './parts.ts'

const mostNamed = 8

/** The peers of this node as a picture, and in words what is wrong with them. */
export function renderMesh(status: StatusView): Html {
  const { wireguard } = status
  if (wireguard === null) return card('mesh', 'Mesh', '', empty('Nobody has looked at the mesh yet.'))
  if (wireguard.devices.length === 0) return card('mesh', 'Mesh', '', empty('This node has no WireGuard device.'))
  const links = linksOf(status)
  const unreadable = wireguard.devices.filter(({ readable }) => !readable)
  const bad = links.filter(link => link.bad)
  const aside = `${wireguard.devices.map(({ name }) => name).join(', ')} · ${plural(links.length, 'peer')}`
  return card('mesh', 'Mesh', aside, [
    html`<div class="picture">${drawMesh(status.node, links)}<ul class="legend">${countBy(links, legendOf).map(([name, count]) => renderCount(name, count, links))}</ul></div>`,
    html`<ul class="rows">${unreadable.map(({ name }) => html`<li>${icon('bad')}<span class="what">${name}</span><span class="where">cannot be read</span></li>`)}${some(bad, mostNamed, renderBad)}</ul>`,
  ])
}

function legendOf(link: Link): string {
  return link.bad && toneOf({ ...link, bad: false }) !== 'bad' ? 'no allowed-ip' : link.class
}

function renderCount(name: string, count: number, links: readonly Link[]): Html {
  const example = links.find(link => legendOf(link) === name)
  return html`<li>${drawSign(example === undefined ? 'quiet' : toneOf(example))}<b>${groupDigits(count)}</b> ${name}</li>`
}

function renderBad(link: Link): Html {
  const { endpoint, why, device, handshakeAge } = link
  const age = handshakeAge === null ? 'no handshake' : `${formatAge(handshakeAge)} ago`
  const what = handshakeAge === null ? '' : 'handshake '
  return html`<li>${icon('bad')}<span class="what">${nameOf(link)} <span class="muted">${legendOf(link)}</span></span><span class="where"><span class="wide-only">${device} &middot; ${what}</span>${age}</span><p class="note">${endpoint === null ? '' : html`<code>${endpoint}</code> `}${why}</p></li>`
}
