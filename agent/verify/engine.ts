import { messageOf } from '../../cni/host/system-error.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { CheckCode, CheckResult, Vantage, Verdict } from '../verdict/verdict.ts'
import { type Answer, type Check, CheckFault, type Finding, type Probe, skipped } from './check.ts'
import { DeadlineError, withDeadline } from './deadline.ts'

/** The checks of one place to look from. A place brings its own ports, so the same check can be made twice. */
export interface CheckGroup {
  readonly from: Vantage
  readonly checks: readonly Check[]
}

/** A place that another process looks from. */
export interface RemoteGroup {
  readonly from: Vantage
  /** Must end soon after its signal fires. */
  ask(signal: AbortSignal): Promise<readonly CheckResult[]>
}

export type ProbeGroup = CheckGroup | RemoteGroup

/** How one run is done. */
export interface RunOptions {
  readonly node: string
  readonly dryRun: boolean
  readonly groups: readonly ProbeGroup[]
  /** Milliseconds for the whole run; what is still open then has failed. */
  readonly overallMs: number
  readonly signal: AbortSignal
  /** Has the last word on the results of all groups together. */
  readonly settle?: (results: readonly CheckResult[]) => readonly CheckResult[]
  /** Told when a check starts (no results) and when it has ended, for a progress line. */
  readonly onProgress?: (progress: Progress) => void
  readonly clock?: Pick<Clock, 'monotonic'>
}

/** One step of a run. */
export interface Progress {
  readonly from: Vantage
  /** Code of a check, or the name of a group that tells no more. */
  readonly what: string
  readonly results: readonly CheckResult[] | undefined
}

interface Run {
  readonly options: RunOptions
  readonly signal: AbortSignal
  readonly now: () => number
}

/**
 * Asks every check of every group, side by side where none waits for another.
 * @throws the reason of `signal` if the run itself is called off; a bad network is a verdict
 */
export async function runChecks(options: RunOptions): Promise<Verdict> {
  const now = () => (options.clock ?? systemClock).monotonic()
  const started = now()
  const overall = new AbortController()
  const onAbort = () => overall.abort(options.signal.reason)
  options.signal.throwIfAborted()
  options.signal.addEventListener('abort', onAbort, { once: true })
  const limit = setTimeout(
    () => overall.abort(new DeadlineError(`the whole run took over ${options.overallMs} ms`)),
    options.overallMs,
  )
  try {
    const run: Run = { options, signal: overall.signal, now }
    const groups = await Promise.all(options.groups.map(group => runGroup(run, group)))
    options.signal.throwIfAborted()
    const checks = options.settle?.(groups.flat()) ?? groups.flat()
    return {
      node: options.node,
      passed: hasPassed(checks),
      dryRun: options.dryRun,
      seconds: secondsSince(now, started),
      checks,
    }
  } finally {
    clearTimeout(limit)
    options.signal.removeEventListener('abort', onAbort)
  }
}

/** A node passes when nothing failed and something was proved; skips alone prove nothing. */
export function hasPassed(results: readonly CheckResult[]): boolean {
  const proved = results.some(each => each.result === 'pass' || each.result === 'warn')
  return proved && !results.some(each => each.result === 'fail')
}

async function runGroup(run: Run, group: ProbeGroup): Promise<readonly CheckResult[]> {
  return 'ask' in group ? askGroup(run, group) : runCheckGroup(run, group)
}

async function askGroup(run: Run, { from, ask }: RemoteGroup): Promise<readonly CheckResult[]> {
  run.options.onProgress?.({ from, what: 'all', results: undefined })
  const results = await ask(run.signal)
  run.options.onProgress?.({ from, what: 'all', results })
  return results
}

async function runCheckGroup(run: Run, group: CheckGroup): Promise<readonly CheckResult[]> {
  const ends = new Map<CheckCode, PromiseWithResolvers<readonly CheckResult[]>>()
  for (const check of group.checks) ends.set(check.code, Promise.withResolvers())
  const results = await Promise.all(
    group.checks.map(async check => {
      const before = check.dependsOn.flatMap(code => ends.get(code)?.promise ?? [])
      const found = await runAfter(run, group.from, check, before)
      ends.get(check.code)?.resolve(found)
      run.options.onProgress?.({ from: group.from, what: check.code, results: found })
      return found
    }),
  )
  return results.flat()
}

async function runAfter(
  run: Run,
  from: Vantage,
  check: Check,
  before: readonly Promise<readonly CheckResult[]>[],
): Promise<readonly CheckResult[]> {
  const failed = (await Promise.all(before)).flat().find(each => each.result === 'fail')
  if (failed !== undefined) {
    const message = `not asked: it needs the ${failed.code} check, which failed`
    return [toResult(check, from, skipped(check.title, 'DependencyFailed', message))]
  }
  run.options.onProgress?.({ from, what: check.code, results: undefined })
  const findings = await runOne(run, check)
  return findings.map(finding => toResult(check, from, finding))
}

/** A check that throws instead of answering has failed; it must never take the other checks with it. */
async function runOne(run: Run, check: Check): Promise<readonly Finding[]> {
  const probe = createProbe(run, check)
  const started = run.now()
  try {
    // A check that forgets its signal must not hold the verdict for ever; one that minds it has ended long before.
    return await withDeadline(run.options.overallMs, new AbortController().signal, () => check.run(probe))
  } catch (error) {
    return [{ target: check.title, ...toFailure(error, check), seconds: secondsSince(run.now, started) }]
  }
}

function createProbe(run: Run, check: Check): Probe {
  return {
    signal: run.signal,
    async within(question) {
      try {
        return await withDeadline(check.limitMs, run.signal, question)
      } catch (error) {
        throw error instanceof DeadlineError ? new CheckFault(check.overdue, error.message, error) : error
      }
    },
    async find(target, work) {
      const started = run.now()
      const answer = await work().catch(error => toFailure(error, check))
      return { target, ...answer, seconds: secondsSince(run.now, started) }
    },
  }
}

function toFailure(error: unknown, check: Check): Answer {
  if (error instanceof CheckFault) return { result: 'fail', reason: error.code, message: error.message }
  const message = messageOf(error)
  return { result: 'fail', reason: check.overdue, message }
}

function toResult(check: Check, from: Vantage, finding: Finding): CheckResult {
  return { code: check.code, from, ...finding }
}

/** To a tenth of a millisecond. */
export function secondsSince(now: () => number, started: number): number {
  return Math.round((now() - started) * 10) / 10_000
}
