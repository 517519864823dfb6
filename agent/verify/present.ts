import { eraseLine, oneLine } from '../runtime/plain-text.ts'
import { formatTable } from '../runtime/text-table.ts'
import type { CheckResult, Verdict } from '../verdict/verdict.ts'
import type { Progress } from './engine.ts'

/** The part of a terminal or pipe that a progress line needs. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const headings = ['CHECK', 'FROM', 'RESULT', 'TIME', 'REASON', 'TARGET']

/** The document of `nopal verify --output json`, one line and nothing else. */
export function formatVerdictJson(verdict: Verdict): string {
  return `${JSON.stringify(verdict)}\n`
}

/** The table of `nopal verify`, with a sentence for each result that is not well and one for the node. */
export function formatVerdictText(verdict: Verdict): string {
  const table = formatTable([headings, ...verdict.checks.map(toRow)])
  const notes = verdict.checks.filter(each => each.result !== 'pass').map(toNote)
  const parts = [table, ...(notes.length === 0 ? [] : [notes.join('\n')]), summarize(verdict)]
  return `${parts.join('\n\n')}\n`
}

/** Says on a terminal, in one line that is overwritten, which checks run and which have ended. Silent elsewhere. */
export function createProgressLine(output: ProgressOutput): { show(progress: Progress): void; end(): void } {
  const states = new Map<string, string>()
  const isTerminal = output.isTTY === true
  return {
    show({ from, what, results }) {
      if (!isTerminal) return
      const name = from === 'host' ? what : `${from} ${what}`
      states.set(name, `${name} ${results === undefined ? '...' : worstOf(results)}`)
      output.write(`${eraseLine}verifying: ${[...states.values()].join(', ')}`)
    },
    end() {
      if (isTerminal && states.size > 0) output.write(eraseLine)
    },
  }
}

/** The result that stands for several. */
export function worstOf(results: readonly CheckResult[]): CheckResult['result'] {
  const order = ['fail', 'warn', 'pass', 'skip'] as const
  return order.find(result => results.some(each => each.result === result)) ?? 'skip'
}

function toRow(check: CheckResult): readonly string[] {
  return [
    check.code,
    check.from,
    check.result,
    `${check.seconds.toFixed(3)}s`,
    oneLine(check.reason ?? '-'),
    oneLine(check.target),
  ]
}

function toNote(check: CheckResult): string {
  return `${check.code} ${check.result}: ${oneLine(check.target)}: ${oneLine(check.message)}`
}

function summarize(verdict: Verdict): string {
  const failed = verdict.checks.filter(each => each.result === 'fail')
  const causes = [...new Set(failed.map(each => `${each.code} ${each.reason ?? ''}`.trim()))]
  const outcome = verdict.passed ? 'passed' : `failed (${causes.join(', ') || 'nothing was proved'})`
  const dryRun = verdict.dryRun ? ', dry run: nothing was written' : ''
  return oneLine(`${verdict.node}: ${outcome} in ${verdict.seconds.toFixed(2)} s${dryRun}`)
}
