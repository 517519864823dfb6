import { readRecord } from '../../cni/networks/record-folder.ts'
import { MULTUS_ANNOTATION, NETWORKS_ANNOTATION } from '../../cni/networks/selection.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { EventRecorder, KubeEvent, ObjectRef } from '../kube/events.ts'
import type { NodePod } from '../kube/pod.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { AttachmentBoard } from './board.ts'
import { PodagentError } from './errors.ts'
import type { PodagentMetrics } from './metrics.ts'
import { type PodPlan, planPod } from './plan.ts'
import { findSandbox, type PodSandbox, type SandboxSources } from './sandbox.ts'
import type { StatusTeller } from './status-teller.ts'
import { runSteps } from './steps.ts'
import type { SystemConf } from './system-conf.ts'

/** What work on one pod needs. */
export interface PodWorkOptions {
  readonly pod: (key: string) => NodePod | undefined
  /** @throws PodagentError NotKactus */
  readonly conf: () => Promise<SystemConf>
  readonly sources: SandboxSources
  /** Runs the node's plugins until the signal. */
  readonly runner: (signal: AbortSignal) => PluginRunner
  readonly events: EventRecorder
  readonly status: StatusTeller
  readonly metrics: PodagentMetrics
  readonly board: AttachmentBoard
  readonly clock: Clock
  readonly log: Logger
}

/** How soon to look again at a pod that its runtime is at work on. */
const unsettledMs = 2000

/** Brings single pods to what their annotations ask for. */
export class PodWork {
  readonly #options: PodWorkOptions

  constructor(options: PodWorkOptions) {
    this.#options = options
  }

  /**
   * Brings one pod to what its annotation asks for, as far as it can be done.
   * @returns milliseconds until it must be looked at again; undefined = when it changes
   * @throws PodagentError where something is left that may go better another time
   */
  readonly run = async (key: string, signal: AbortSignal): Promise<number | undefined> => {
    const { pod: find, sources, conf: readConf } = this.#options
    const pod = find(key)
    if (pod === undefined || pod.phase === 'ending') return this.#forget(key)
    const asks = [NETWORKS_ANNOTATION, MULTUS_ANNOTATION].some(each => Object.hasOwn(pod.facts.annotations, each))
    const conf = await readConf().catch(error => (asks ? Promise.reject(error) : undefined))
    if (conf === undefined) return undefined
    const mayAsk = asks && pod.phase === 'running' && !pod.hostNetwork
    const sandbox = await findSandbox(sources, pod, { cniDir: conf.cniDir, asks: mayAsk, signal })
    const plan = planPod({ pod, conf, record: sandbox?.record })
    for (const { reason, note } of plan.problems) await this.#tell(pod, { type: 'Warning', reason, note }, signal)
    if (plan.isUnsettled) return unsettledMs
    if (sandbox === undefined) return this.#without({ key, pod }, plan, signal)
    await this.#settle({ key, pod, conf, sandbox }, plan, signal)
  }

  async #settle(at: Place, plan: PodPlan, signal: AbortSignal): Promise<void> {
    const { key, pod, conf, sandbox } = at
    const problems = notesOf(plan)
    const tell = async (event: KubeEvent) => {
      if (event.type === 'Warning') problems.push(event.note)
      await this.#tell(pod, event, signal)
    }
    const failures = await runSteps(plan.steps, { ...this.#options, ...at, tell }, signal)
    const record = readRecord(conf.cniDir, sandbox.containerId)
    this.#options.board.show(key, record, problems)
    if (record !== undefined) await this.#options.status.tell(pod, record, conf, signal)
    if (failures.length > 0 && !signal.aborted)
      throw new PodagentError('StepFailed', `${failures.length} of ${plan.steps.length} calls failed`, failures[0])
  }

  /** A pod that starts gets all it asks for from its runtime. */
  async #without({ key, pod }: Pick<Place, 'key' | 'pod'>, plan: PodPlan, signal: AbortSignal): Promise<undefined> {
    const isLost = plan.steps.length > 0 && pod.phase === 'running'
    const note = 'the network namespace of the pod is not found: neither kactus nor the container runtime names it'
    this.#options.board.show(key, undefined, isLost ? [...notesOf(plan), note] : notesOf(plan))
    if (!isLost) return undefined
    await this.#tell(pod, { type: 'Warning', reason: 'FailedAddingInterface', note }, signal)
    throw new PodagentError('NoSandbox', note)
  }

  async #tell(pod: NodePod, event: KubeEvent, signal: AbortSignal): Promise<void> {
    await this.#options.events.record(refOf(pod), event, signal)
  }

  #forget(key: string): undefined {
    this.#options.board.forget(key)
  }
}

interface Place {
  readonly key: string
  readonly pod: NodePod
  readonly conf: SystemConf
  readonly sandbox: PodSandbox
}

function notesOf({ problems }: PodPlan): string[] {
  return problems.map(({ note }) => note)
}

function refOf({ namespace, name, facts }: NodePod): ObjectRef {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid: facts.uid }
}
