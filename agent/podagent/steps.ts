import { CniError, toCniError } from '../../cni/spec/errors.ts'
import type { JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { KubeEvent } from '../kube/events.ts'
import type { NodePod } from '../kube/pod.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { addressesOf } from '../sandbox/attachment.ts'
import { graceAfter } from '../sandbox/grace.ts'
import { callStep } from './call.ts'
import type { PodagentMetrics } from './metrics.ts'
import type { Step } from './plan.ts'
import type { PodSandbox } from './sandbox.ts'
import type { SystemConf } from './system-conf.ts'

export interface StepContext {
  readonly pod: NodePod
  readonly conf: SystemConf
  readonly sandbox: PodSandbox
  readonly runner: (signal: AbortSignal) => PluginRunner
  readonly tell: (event: KubeEvent) => Promise<void>
  readonly metrics: PodagentMetrics
  readonly clock: Clock
  readonly log: Logger
}

/** A call that is under way when the agent is told to end may come to its own end. */
const graceMs = 2000

/**
 * Makes the calls one after the other, all of them whatever fails; but what shall take the place of something that could
 * not be detached is left for another time.
 * @returns the failures
 */
export async function runSteps(
  steps: readonly Step[],
  context: StepContext,
  signal: AbortSignal,
): Promise<readonly CniError[]> {
  const failures: CniError[] = []
  const stuck: Step[] = []
  for (const step of steps) {
    if (signal.aborted) break
    if (stuck.some(other => isInTheWay(other, step))) continue
    const failure = await runStep(step, context, signal)
    if (failure === undefined) continue
    failures.push(failure)
    if (step.action === 'detach') stuck.push(step)
  }
  return failures
}

/** The same interface, or the same network on another one. */
function isInTheWay(stuck: Step, step: Step): boolean {
  return stuck.ifname === step.ifname || bareName(stuck) === bareName(step)
}

function bareName({ network }: Step): string {
  return network.slice(network.indexOf('/') + 1)
}

async function runStep(step: Step, context: StepContext, signal: AbortSignal): Promise<CniError | undefined> {
  const { conf, pod, sandbox, metrics, clock, log, tell, runner } = context
  const startedMs = clock.monotonic()
  const grace = graceAfter(signal, graceMs)
  const facts = { pod: `${pod.namespace}/${pod.name}`, network: step.network, interface: step.ifname }
  try {
    const result = await callStep(runner(grace.signal), conf.list, { pod, sandbox, step })
    metrics.recordStep(step.action, (clock.monotonic() - startedMs) / 1000, true)
    log.info(facts, step.action === 'attach' ? 'network attached' : 'network detached')
    await tell(doneEvent(step, result))
    return undefined
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    metrics.recordStep(step.action, (clock.monotonic() - startedMs) / 1000, false)
    await tell(failedEvent(step, error))
    return toCniError(error)
  } finally {
    grace.end()
  }
}

function doneEvent({ action, network, ifname }: Step, result: JsonObject | undefined): KubeEvent {
  const addresses = result === undefined ? [] : addressesOf(result)
  const note = `${ifname} [${addresses.join(', ')}] on network ${network}`
  if (action === 'attach') return { type: 'Normal', reason: 'AddedInterface', note }
  return { type: 'Normal', reason: 'RemovedInterface', note: `${ifname} of network ${network}` }
}

function failedEvent({ action, network, ifname }: Step, { message, details }: CniError): KubeEvent {
  const said = details === undefined ? message : `${message} (${details})`
  const reason = action === 'attach' ? 'FailedAddingInterface' : 'FailedRemovingInterface'
  return { type: 'Warning', reason, note: `network ${network}, interface ${ifname}: ${said}` }
}
