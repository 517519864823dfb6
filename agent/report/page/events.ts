import type { StatusView } from '../document.ts'
import { agoOf } from '../summary.ts'
import { type Html, html } from './html.ts'
import { card, empty, icon } from './parts.ts'

type Event = NonNullable<StatusView['events']>[number]

const mostShown = 6

/** What this process has told as Events, the newest first. */
export function renderEvents({ events, time, node }: StatusView): Html {
  if (events === null || events.length === 0) return card('events', 'Events', '', empty('Nothing has happened.'))
  const render = (event: Event) => renderEvent(event, { time, node })
  const older = events.slice(mostShown)
  const rest =
    older.length === 0
      ? undefined
      : html`<details data-key="events"><summary>${older.length} older</summary><ul class="rows">${older.map(render)}</ul></details>`
  return card('events', 'Events', 'of this process', [
    html`<ul class="rows">${events.slice(0, mostShown).map(render)}</ul>${rest}`,
  ])
}

function renderEvent({ type, reason, about, note, count, time }: Event, now: Pick<StatusView, 'time' | 'node'>): Html {
  const whose = about === `Node ${now.node}` ? '' : about
  const times = count > 1 ? `${count}×, ` : ''
  return html`<li>${icon(type === 'Warning' ? 'warn' : 'good')}<span class="what">${reason} <span class="muted">${whose}</span></span><time class="where" datetime="${time}">${times}${agoOf(time, now.time)}</time><p class="note">${note}</p></li>`
}
