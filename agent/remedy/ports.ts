import { CodedError } from '../../cni/host/coded-error.ts'
import type { RemedySettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { RemedyPlan } from './plan.ts'
import type { GateView } from './sight.ts'
import type { Worker } from './worker.ts'
import type { WorkerTemplate } from './worker-pod.ts'

/** What is known of one kind of object. */
export interface Known<T> {
  values(): Iterable<T>
  /** Whether that is all there is. */
  synced(): boolean
}

/** Hears of what the leader does, for metrics and status. */
export interface RemedyObserver {
  planned(plan: RemedyPlan, workers: readonly Worker[]): void
  started(node: string, error: unknown): void
  /** Once for each worker that has ended while this leader led. */
  ended(worker: Worker): void
  lifted(node: string, ok: boolean, seconds: number): void
  deleted(node: string, kind: 'NodeClaim' | 'Node', ok: boolean): void
}

/** What the duty works with. */
export interface RemedyPorts {
  readonly settings: RemedySettings
  /** Milliseconds after which a worker that has not ended is given up. */
  readonly limitMs: number
  readonly nodes: Known<KubeNode>
  readonly workers: Known<Worker>
  /** Writes no longer than the leader leads. */
  readonly api: KubeApi
  readonly gate: GateView
  readonly events: EventRecorder
  /** @throws KubeError, RemedyError */
  template(signal: AbortSignal): Promise<WorkerTemplate>
  readonly clock: Clock
  readonly log: Logger
  readonly observer: RemedyObserver
}

/** Something that only the settings or the cluster's administrator can mend, or writes that have failed. */
export class RemedyError extends CodedError<'NoImage' | 'WritesFailed'> {
  override readonly name = 'RemedyError'
}
