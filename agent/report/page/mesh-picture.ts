import { formatAge, type Link, nameOf, type Tone } from '../summary.ts'
import { type Html, html } from './html.ts'
import { toneOf } from './mesh-tone.ts'

const size = 320
const middle = size / 2
const selfRadius = 34
/** Of the circle that few peers stand on. */
const ring = 104
/** How far out a peer stands whose handshake is of now, and one that has none. */
const near = 50
const far = 148
/** WireGuard keeps a session for so long; a handshake comes every two minutes where there is traffic. */
const sessionSeconds = 180
const mostWithNames = 10
const mostBadNames = 6
/** The angle by which seeds of a sunflower are turned: no two ever stand in one line. */
const golden = Math.PI * (3 - Math.sqrt(5))

interface Spot {
  readonly link: Link
  readonly tone: Tone
  readonly x: number
  readonly y: number
}

/** This node in the middle and its peers around it; of many, the farther out the older the handshake. */
export function drawMesh(node: string, links: readonly Link[]): Html {
  const few = links.length <= mostWithNames
  const spots = links.map((link, at): Spot => {
    const angle = few ? (2 * Math.PI * at) / links.length - Math.PI / 2 : golden * at
    const radius = few ? ring : radiusOf(link)
    return { link, tone: toneOf(link), x: middle + radius * Math.cos(angle), y: middle + radius * Math.sin(angle) }
  })
  const label = `${node} and ${links.length} peers, ${links.filter(({ bad }) => bad).length} of them not well`
  return html`<svg viewBox="0 0 ${size} ${size + 4}" role="img" aria-label="${label}">${few ? drawFew(spots) : drawMany(spots)}<circle class="self" cx="${middle}" cy="${middle}" r="${selfRadius}"/><text class="self-name" x="${middle}" y="${middle + 4}">this node</text></svg>`
}

function radiusOf({ handshakeAge }: Link): number {
  if (handshakeAge === null) return far
  return near + (far - near) * Math.min(1, handshakeAge / sessionSeconds)
}

function drawFew(spots: readonly Spot[]): Html {
  const lines = spots.map(
    ({ tone, x, y }) => html`<line class="${tone}" x1="${middle}" y1="${middle}" x2="${round(x)}" y2="${round(y)}"/>`,
  )
  const peers = spots.map(spot => {
    const { link, tone, x, y } = spot
    const age = link.handshakeAge === null ? 'no handshake' : `${formatAge(link.handshakeAge)} ago`
    // Away from the line to the middle.
    const top = y < middle - 20 ? y - 29 : y + 23
    return html`${drawDot(spot, 9)}<text class="halo${tone === 'bad' ? ' bad-name' : ''}" x="${round(x)}" y="${round(top)}">${shorten(nameOf(link), 16)}</text><text class="small halo" x="${round(x)}" y="${round(top + 13)}">${tone === 'bad' ? `${link.class}, ` : ''}${age}</text>`
  })
  return html`<circle class="ring" cx="${middle}" cy="${middle}" r="${ring}"/>${lines}${peers}`
}

function drawMany(spots: readonly Spot[]): Html {
  const bands = [1, 2, 3].map(minutes => {
    const radius = near + ((far - near) * minutes) / 3
    return { minutes, radius }
  })
  const radius = dotRadius(spots.length)
  const well = [...Map.groupBy(spots, ({ tone }) => tone)].filter(([tone]) => tone !== 'bad')
  const groups = well.map(
    ([tone, some]) =>
      html`<g class="${isHollow(tone) ? 'hollow' : 'dots'} ${tone}">${some.map(({ link, x, y }) => html`<circle cx="${round(x)}" cy="${round(y)}" r="${radius}"><title>${describe(link)}</title></circle>`)}</g>`,
  )
  const bad = spots.filter(({ tone }) => tone === 'bad')
  const marks = bad.map(
    spot =>
      html`<line class="bad" x1="${middle}" y1="${middle}" x2="${round(spot.x)}" y2="${round(spot.y)}"/>${drawDot(spot, Math.max(7, radius + 2))}`,
  )
  const names = bad
    .slice(0, mostBadNames)
    .map(
      ({ link, x, y }) =>
        html`<text class="bad-name halo" x="${round(clamp(x))}" y="${round(y < middle ? y - 11 : y + 20)}">${shorten(nameOf(link), 14)}</text>`,
    )
  return html`<circle class="band" cx="${middle}" cy="${middle}" r="${far}"/>${bands.map(drawBand)}${groups}${bands.map(nameBand)}${marks}${names}`
}

/** What a peer of such a tone is drawn as. */
export function drawSign(tone: Tone): Html {
  return html`<svg viewBox="0 0 16 16" aria-hidden="true">${drawPoint(tone, { x: 8, y: 8, radius: tone === 'bad' ? 7.5 : 6 })}</svg>`
}

interface Band {
  readonly minutes: number
  readonly radius: number
}

function drawBand({ radius }: Band): Html {
  return html`<circle class="ring" cx="${middle}" cy="${middle}" r="${round(radius)}"/>`
}

function nameBand({ minutes, radius }: Band): Html {
  return html`<text class="small halo" x="${middle}" y="${round(middle - radius + 4)}">${minutes} min</text>`
}

function drawDot({ link, tone, x, y }: Spot, radius: number): Html {
  return drawPoint(tone, { x, y, radius }, html`<title>${describe(link)}</title>`)
}

interface Point {
  readonly x: number
  readonly y: number
  readonly radius: number
}

function drawPoint(tone: Tone, { x, y, radius }: Point, title?: Html): Html {
  const [left, top] = [round(x), round(y)]
  if (tone !== 'bad')
    return html`<circle class="${isHollow(tone) ? 'hollow' : 'dots'} ${tone}" cx="${left}" cy="${top}" r="${radius}">${title}</circle>`
  const arm = round(radius * 0.4)
  return html`<g class="bad"><circle class="dots" cx="${left}" cy="${top}" r="${radius}">${title}</circle><path class="cross" d="M${round(x - arm)} ${round(y - arm)}l${2 * arm} ${2 * arm}m0 ${-2 * arm}l${-2 * arm} ${2 * arm}"/></g>`
}

function isHollow(tone: Tone): boolean {
  return tone === 'wait' || tone === 'quiet'
}

function describe(link: Link): string {
  const age = link.handshakeAge === null ? 'no handshake' : `handshake ${formatAge(link.handshakeAge)} ago`
  return `${nameOf(link)}: ${link.class}, ${age}${link.why === '' ? '' : `, ${link.why}`}`
}

function dotRadius(count: number): number {
  if (count <= 40) return 6
  return count <= 200 ? 4 : 2.6
}

/** The end of a name tells nodes apart, the begin says what they are. */
function shorten(name: string, most: number): string {
  if (name.length <= most) return name
  const end = Math.ceil((most - 1) * 0.6)
  return `${name.slice(0, most - 1 - end)}…${name.slice(-end)}`
}

/** Keeps a name inside the picture. */
function clamp(x: number): number {
  return Math.min(size - 54, Math.max(54, x))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
