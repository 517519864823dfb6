import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Watched } from '../kube/derive.ts'
import type { EventListener } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import type { Term } from '../kube/term.ts'
import type { Status } from '../report/status.ts'
import type { Running } from '../runtime/duty.ts'
import type { LeveledLogger } from '../runtime/log.ts'
import type { LoopOptions } from '../runtime/loop.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** What every leader has, whether it works or stands by. */
export interface LeaderParts {
  readonly settings: Settings
  readonly log: LeveledLogger
  /** For reading; a duty writes by the API of its term. */
  readonly kube: KubeClient
  readonly metrics: Metrics
  /** Each duty adds its section. */
  readonly status: Status
  readonly onEvent: EventListener
  /** The same for every duty. */
  readonly loop: LoopOptions
  /** A duty has done all that it had to. */
  readonly succeeded: (duty: string) => void
}

/** What all duties of a term see: one watch a kind. */
export interface TermWatches {
  readonly nodes: Watched<KubeNode>
}

/** Starts one duty for a term. */
export type LeaderDuty = (term: Term, watches: TermWatches) => Running

/** Makes a duty with its metrics and its section of the status, once for the process; undefined = the settings switch it off. */
export type LeaderDutySource = (leader: LeaderParts) => LeaderDuty | undefined
