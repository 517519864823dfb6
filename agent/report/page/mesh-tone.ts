import type { Link, Tone } from '../summary.ts'

const toneOfClass: Readonly<Record<string, Tone>> = {
  expected: 'good',
  lan: 'good',
  leaked: 'bad',
  loop: 'bad',
  nested: 'bad',
  stale: 'bad',
  none: 'wait',
}

/** How a peer is drawn. What nobody knows is neither good nor bad: somebody's laptop. */
export function toneOf(link: Pick<Link, 'bad' | 'class'>): Tone {
  return link.bad ? 'bad' : (toneOfClass[link.class] ?? 'quiet')
}
