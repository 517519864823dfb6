import type { RemedySettings } from '../config/settings.ts'
import type { NodeSight } from './sight.ts'
import type { Worker } from './worker.ts'

/** Everything that a plan is made from. */
export interface RemedyInput {
  readonly nodes: readonly NodeSight[]
  readonly workers: readonly Worker[]
  readonly settings: RemedySettings
  /** After which a worker that has not ended is given up. */
  readonly limitMs: number
  readonly nowMs: number
  /** How long this leader has led. */
  readonly ledMs: number
  /** How long ago this leader has deleted nodes. */
  readonly deletedAgoMs: readonly number[]
  /** UIDs of nodes that are not deleted now, whatever was found: one that is going, or of which too little is known. */
  readonly spared: { has(uid: string): boolean }
}
