import type { CheckResult } from '../verdict/verdict.ts'
import { type AgentStatus, missingForReady } from './status.ts'

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
export function renderPage(status: AgentStatus): string {
  const node = escapeHtml(status.node)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">
<title>nopal: ${node}</title><style>${style}</style></head>
<body>
<h1>${node}: ${renderVerdict(status)}</h1>
<dl>${facts(status).map(renderFact).join('')}</dl>
${renderChecks(status.verdict?.checks ?? [])}
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

function renderVerdict({ verdict }: AgentStatus): string {
  if (verdict === null) return '<span class="skip">not verified yet</span>'
  return verdict.passed ? '<span class="pass">network verified</span>' : '<span class="fail">network not ready</span>'
}

function facts(status: AgentStatus): readonly (readonly [string, string])[] {
  const missing = missingForReady(status)
  return [
    ['Agent', `${status.version}, since ${status.startTime}`],
    ['Ready', missing.length === 0 ? 'yes' : `no: ${missing.join('; ')}`],
    ['Last verification', status.verdictTime ?? 'none yet'],
    ['Taint', status.gate === null ? 'not known yet' : status.gate.message],
    ['CNI', status.cni.enabled ? status.cni.message : 'not installed by this agent'],
  ]
}

function renderFact([name, value]: readonly [string, string]): string {
  return `<dt><b>${escapeHtml(name)}</b></dt><dd>${escapeHtml(value)}</dd>`
}

function renderChecks(checks: readonly CheckResult[]): string {
  if (checks.length === 0) return ''
  const head =
    '<tr><th>Check</th><th>From</th><th>Asked</th><th>Result</th><th>Reason</th><th>Time</th><th>Message</th></tr>'
  return `<table><thead>${head}</thead><tbody>\n${checks.map(renderCheck).join('\n')}\n</tbody></table>`
}

function renderCheck(check: CheckResult): string {
  const result = `<td class="${check.result}">${check.result}</td>`
  const cell = (value: string) => `<td>${escapeHtml(value)}</td>`
  const time = `${check.seconds.toFixed(3)} s`
  return `<tr>${cell(check.code)}${cell(check.from)}${cell(check.target)}${result}${cell(check.reason ?? '')}${cell(time)}${cell(check.message)}</tr>`
}
