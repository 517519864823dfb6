import type { Watched } from '../kube/derive.ts'
import type { KubeNode } from '../kube/node.ts'
import type { Term } from '../kube/term.ts'
import type { Running } from '../runtime/duty.ts'
import type { Role } from '../runtime/role.ts'

/** What every leader has, whether it works or stands by. A duty reads by `kube`, and writes by the API of its term. */
export interface LeaderParts extends Omit<Role, 'credentials'> {
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
