import type { KubeNode, NodeCondition } from '../kube/node.ts'
import type { ConditionWrite } from '../kube/node-writer.ts'
import { type CheckResult, severityOf, type Verdict } from '../verdict/verdict.ts'

/** Type of the condition on the Node. */
export const conditionType = 'nopal.io/NetworkReady'

/** A heartbeat says no more than that the agent lives; each one is a write that every watcher of Nodes gets. */
const heartbeatMs = 5 * 60_000
const longestMessage = 2000

/** What a condition says, without its times. */
export interface ConditionText {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** Before the first verdict. */
export const verifying: ConditionText = {
  status: 'Unknown',
  reason: 'Verifying',
  message: 'the first verification has not ended',
}

/** The host is well, and a worker pod is to prove the path of pods. */
export const workerWanted: ConditionText = {
  status: 'Unknown',
  reason: 'WorkerWanted',
  message: 'every check from the host has passed; a worker pod is to prove the path of pods',
}

/** Says what a verdict means: the gravest reason, and a message that names every failing check. */
export function describeVerdict(verdict: Verdict): ConditionText {
  if (verdict.passed) return { status: 'True', reason: 'Verified', message: describePass(verdict.checks) }
  const failing = withoutEchoes(verdict.checks.filter(check => check.result === 'fail'))
  const [gravest] = failing.toSorted((a, b) => severityOf(b.code) - severityOf(a.code))
  if (gravest === undefined) return { status: 'False', reason: 'NothingProved', message: 'no check could be run' }
  return { status: 'False', reason: gravest.reason ?? 'CheckFailed', message: joinCut(failing.map(describeFailure)) }
}

/** What was not tried is not said to be well. */
function describePass(checks: readonly CheckResult[]): string {
  const fromSandbox = checks.filter(check => check.from === 'sandbox')
  if (fromSandbox.some(check => check.result !== 'skip')) return 'every check has passed'
  const why = fromSandbox[0]?.reason ?? 'verify.from is host'
  return `every check from the host has passed; the path of pods was not tried (${why})`
}

/** A pod's path that fails where the host's fails too tells nothing new. */
function withoutEchoes(failing: readonly CheckResult[]): readonly CheckResult[] {
  const onHost = new Set(failing.filter(check => check.from === 'host').map(check => check.code))
  return failing.filter(check => check.from === 'host' || !onHost.has(check.code))
}

/**
 * No times and no free text: a message that changed with every run would be a write with every run. Only the words of the
 * network's plugins are told, which are steady: nothing else says what is wrong with it.
 */
function describeFailure(check: CheckResult): string {
  const ofSandbox = check.code === 'sandbox'
  const from = check.from === 'host' || ofSandbox ? '' : ` from the ${check.from}`
  const detail = ofSandbox ? check.message.replace(/^sandbox: /, '') : check.target
  return `${check.code}${from}: ${check.reason ?? 'failed'} (${detail})`
}

function joinCut(parts: readonly string[]): string {
  const full = parts.join('; ')
  return full.length <= longestMessage ? full : `${full.slice(0, longestMessage)}...`
}

/** The write that the condition needs; undefined where it already says so and its heartbeat is young. */
export function planCondition(node: KubeNode, text: ConditionText, nowMs: number): ConditionWrite | undefined {
  const known = node.conditions.find(condition => condition.type === conditionType)
  if (known !== undefined && saysSame(known, text) && !isOld(known.heartbeatMs, nowMs)) return undefined
  const transitionMs = known?.status === text.status ? known.transitionMs : undefined
  return {
    type: conditionType,
    ...text,
    lastHeartbeatTime: toTime(nowMs),
    lastTransitionTime: toTime(transitionMs ?? nowMs),
  }
}

function saysSame(known: NodeCondition, text: ConditionText): boolean {
  return known.status === text.status && known.reason === text.reason && known.message === text.message
}

/** A heartbeat from the future, left by a clock that was wrong, is old too. */
function isOld(heartbeat: number | undefined, nowMs: number): boolean {
  return heartbeat === undefined || Math.abs(nowMs - heartbeat) >= heartbeatMs
}

/** The API's Time has whole seconds. */
function toTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
