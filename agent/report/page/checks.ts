import type { CheckResult } from '../../verdict/verdict.ts'
import type { StatusView } from '../document.ts'
import { agoOf, type CheckGroup, describePlaces, formatDuration, groupChecks, plural, tones } from '../summary.ts'
import { type Html, html } from './html.ts'
import { card, empty, outcomeIcon } from './parts.ts'

const mostNotes = 3
const mostAnswers = 300

/** What this node was asked, and what it answered. */
export function renderChecks({ verdict, verdictTime, time }: StatusView): Html {
  if (verdict === null) return card('checks', 'Checks', '', empty('The first verification has not ended.'))
  const when = verdictTime === null ? '' : `${agoOf(verdictTime, time)}, took ${verdict.seconds.toFixed(1)} s`
  return card('checks', 'Checks', when, [
    html`<ul class="rows">${groupChecks(verdict).map(renderGroup)}</ul>`,
    renderAnswers(verdict.checks),
  ])
}

function renderGroup(group: CheckGroup): Html {
  const { title, result, slowestSeconds, notes } = group
  const more = notes.length - mostNotes
  return html`<li>${outcomeIcon(result)}<span class="what">${title}</span><span class="where">${describePlaces(group)}<span class="wide-only"> &middot; ${formatDuration(slowestSeconds)}</span></span>${notes.slice(0, mostNotes).map(renderNote)}${more > 0 ? html`<p class="note">and ${more} more</p>` : undefined}</li>`
}

function renderNote({ result, from, reason, target, message }: CheckResult): Html {
  const isSkip = result === 'skip'
  const text = isSkip ? message : `${target}: ${message}`
  return html`<p class="note ${tones[result]}"><b>${reason ?? result}</b> ${from === 'host' ? '' : `(${from}) `}${text}</p>`
}

function renderAnswers(checks: readonly CheckResult[]): Html {
  const rows = checks
    .slice(0, mostAnswers)
    .map(
      ({ code, from, target, result, reason = '', seconds }) =>
        html`<tr><td>${outcomeIcon(result)}</td><td>${code}</td><td>${from}</td><td class="mono">${target}</td><td>${reason}</td><td class="num">${formatDuration(seconds)}</td></tr>`,
    )
  return html`<details data-key="answers"><summary>${plural(checks.length, 'answer')}, one by one</summary><div class="scroll"><table><thead><tr><th></th><th>Check</th><th>From</th><th>Asked</th><th>Reason</th><th class="num">Time</th></tr></thead><tbody>${rows}</tbody></table></div></details>`
}
