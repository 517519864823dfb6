import type { StatusView } from '../document.ts'
import { type Html, html } from './html.ts'
import { card, empty, icon } from './parts.ts'

type Pod = NonNullable<StatusView['attachments']>['pods'][number]

const mostPods = 100

/** Which pods have further networks, and which lack one. Absent where this process looks after none. */
export function renderAttachments({ attachments }: StatusView): Html | undefined {
  if (attachments === null) return undefined
  const { attached, missing, pods } = attachments
  const aside = html`${attached} attached${missing === 0 ? '' : html`, <b>${missing} missing</b>`}`
  if (pods.length === 0) return card('attachments', 'Attachments', '', empty('No pod has further networks.'))
  // Those that lack something first.
  const shown = pods.toSorted((one, other) => Math.min(1, other.problems.length) - Math.min(1, one.problems.length))
  const more = pods.length - mostPods
  return card('attachments', 'Attachments', aside, [
    html`<ul class="rows">${shown.slice(0, mostPods).map(renderPod)}${more > 0 ? html`<li class="more">and ${more} more pods</li>` : undefined}</ul>`,
  ])
}

function renderPod({ pod, networks, problems }: Pod): Html {
  const rows = networks.map(
    each => html`<p class="note">${each.name} <code>${each.interface ?? ''}</code> ${(each.ips ?? []).join(', ')}</p>`,
  )
  const wrong = problems.map(text => html`<p class="note bad"><b>missing</b> ${text}</p>`)
  return html`<li>${icon(problems.length === 0 ? 'good' : 'bad')}<span class="what">${pod}</span><span></span>${wrong}${rows}</li>`
}
