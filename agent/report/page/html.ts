import { plainText } from '../../runtime/plain-text.ts'

/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template: text and figures are escaped, nothing else is. */
type Part = string | number | Html | undefined | readonly Html[]

/** The only way to make HTML: whatever is put in is text, unless it was made here. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((string, at) => string + toHtml(parts[at])).join(''))
}

function toHtml(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'string') return escapeHtml(part)
  return typeof part === 'number' ? String(part) : part.map(({ text }) => text).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe between tags and in quoted attributes; what steers a terminal or turns the direction of text is shown, not obeyed. */
function escapeHtml(text: string): string {
  return plainText(text).replace(/[&<>"']/g, char => entities[char] ?? char)
}
