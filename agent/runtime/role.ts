import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import type { EventListener } from '../kube/events.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import type { Status } from '../report/status.ts'
import type { LeveledLogger } from './log.ts'
import type { LoopOptions } from './loop.ts'
import type { Metrics } from './metrics.ts'

/** What a process that stays has, whatever it is for. */
export interface Role {
  readonly settings: Settings
  readonly log: LeveledLogger
  readonly credentials: CredentialsSource
  readonly kube: KubeClient
  readonly metrics: Metrics
  /** Each duty adds its section. */
  readonly status: Status
  /** Hears of every Event that a duty tells. */
  readonly onEvent: EventListener
  /** The same for every duty. */
  readonly loop: LoopOptions
}
