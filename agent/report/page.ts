import type { Fact, Status, StatusTable } from './status.ts'

const style = `
:root { color-scheme: light dark; --pass: #1a7f37; --warn: #9a6700; --fail: #cf222e; --skip: #6e7781 }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h1 { font-size: 1.4rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8884; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
td { overflow-wrap: anywhere }
.pass { color: var(--pass) } .warn { color: var(--warn) } .fail { color: var(--fail) } .skip { color: var(--skip) }
`

/** The status page: one file, no scripts, nothing loaded from elsewhere. */
export function renderPage(status: Status): string {
  const { node, version, startTime, facts, missing, problems } = status.document()
  const name = escapeHtml(node)
  const state = problems.length === 0 ? '<span class="pass">well</span>' : '<span class="fail">not well</span>'
  const own: readonly Fact[] = [
    { name: 'nopal', text: `${version}, since ${startTime}` },
    { name: 'ready', text: missing.length === 0 ? 'yes' : `no: ${missing.join('; ')}` },
  ]
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">
<title>nopal: ${name}</title><style>${style}</style></head>
<body>
<h1>${name}: ${state}</h1>
<dl>${[...own, ...facts].map(renderFact).join('')}</dl>
${status.tables().map(renderTable).join('\n')}
<p><a href="/status.json">status.json</a> <a href="/metrics">metrics</a></p>
</body></html>
`
}

/** Makes text safe between tags and in quoted attributes: messages quote what strangers' servers said. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, char => entities[char] ?? char)
}

function renderFact({ name, text }: Fact): string {
  return `<dt><b>${escapeHtml(name)}</b></dt><dd>${escapeHtml(text)}</dd>`
}

function renderTable({ head, rows }: StatusTable): string {
  const headings = head.map(name => `<th>${escapeHtml(name)}</th>`).join('')
  return `<table><thead><tr>${headings}</tr></thead><tbody>\n${rows.map(renderRow).join('\n')}\n</tbody></table>`
}

function renderRow(row: StatusTable['rows'][number]): string {
  const cells = row.map(cell =>
    typeof cell === 'string'
      ? `<td>${escapeHtml(cell)}</td>`
      : `<td class="${cell.tone}">${escapeHtml(cell.text)}</td>`,
  )
  return `<tr>${cells.join('')}</tr>`
}
