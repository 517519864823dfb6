/** What a tap run found. Skipped and unfinished tests count as failed: a lane that did not run is not green. */
export interface TapSummary {
  readonly passed: number
  readonly failed: number
  /** For people: each failure with its details, each skip. */
  readonly problems: readonly string[]
}

/** Reads the text of a tap run (TAP 14, one subtest for each file). */
export function readTap(text: string): TapSummary {
  const totals =
    /^# \{ total: \d+(?:, pass: (?<pass>\d+))?(?:, fail: (?<fail>\d+))?(?:, skip: (?<skip>\d+))?(?:, todo: (?<todo>\d+))? \}$/m
  const found = text.match(totals)?.groups
  if (found === undefined)
    return { passed: 0, failed: 1, problems: ['  the run ended without a total', text.slice(-2000)] }
  const count = (name: string): number => Number(found[name] ?? 0)
  return {
    passed: count('pass'),
    failed: count('fail') + count('skip') + count('todo'),
    problems: [...readFailures(text), ...readSkips(text)],
  }
}

const subtest = /^ *# Subtest: (?<name>.*)$/

/** A failed line with the diagnostics below it, and the subtest it stands in. */
function readFailures(text: string): readonly string[] {
  const problems: string[] = []
  let within = ''
  let open: string | undefined
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length
    if (open !== undefined && (line.trim() === '...' || indent === 0)) open = undefined
    if (open !== undefined) problems.push(`  ${line.trimEnd()}`)
    within = line.match(subtest)?.groups?.name ?? within
    if (!/^ *not ok /.test(line) || / # (?:SKIP|TODO)/i.test(line)) continue
    problems.push(`  ${line.trim()}  [${within}]`)
    open = line
  }
  return problems
}

function readSkips(text: string): readonly string[] {
  return text
    .split('\n')
    .filter(line => / # (?:SKIP|TODO)\b/i.test(line))
    .map(line => `  not run: ${line.trim()}`)
}
