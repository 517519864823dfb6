import type { Outcome } from '../../verdict/verdict.ts'
import { type Tone, tones } from '../summary.ts'
import { type Html, html } from './html.ts'

const shapes: Readonly<Record<Tone, { readonly path: string; readonly word: string }>> = {
  good: { path: 'M4.5 8.4l2.4 2.4 4.6-5.2', word: 'well' },
  warn: { path: 'M8 4.2v4.6M8 11.4v.2', word: 'warning' },
  bad: { path: 'M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6', word: 'bad' },
  wait: { path: 'M8 4.6V8l2.2 1.6', word: 'not known yet' },
  quiet: { path: 'M5 8h6', word: 'not tried' },
}

/** A sign that differs by its form too, not by its colour alone. */
export function icon(tone: Tone): Html {
  const { path, word } = shapes[tone]
  return html`<svg class="icon ${tone}" viewBox="0 0 16 16" role="img" aria-label="${word}"><circle cx="8" cy="8" r="7.25"/><path d="${path}"/></svg>`
}

/** A short word with its sign. */
export function chip(tone: Tone, text: string): Html {
  return html`<span class="chip ${tone}">${icon(tone)}${text}</span>`
}

/** A short word of which nothing good or bad is to be said. */
export function plainChip(text: string): Html {
  return html`<span class="chip plain">${text}</span>`
}

export function outcomeIcon(result: Outcome): Html {
  return icon(tones[result])
}

/** A part of the page; it is replaced when it has changed. */
export function card(id: string, title: string, aside: Html | string, body: Html | readonly Html[]): Html {
  return html`<section class="card" id="${id}" data-part><header><h2>${title}</h2><span class="aside">${aside}</span></header>${body}</section>`
}

/** What there is to say where there is nothing. */
export function empty(text: string): Html {
  return html`<p class="empty">${text}</p>`
}

/** The first of a list, and how many more there are. */
export function some<T>(all: readonly T[], most: number, render: (one: T) => Html): Html {
  const more = all.length - most
  return html`${all.slice(0, most).map(render)}${more > 0 ? html`<li class="more">and ${more} more</li>` : undefined}`
}
