import type { Verdict } from '../verdict/verdict.ts'

/** What the agent knows of its node right now: the document of `/status.json`, and what the page shows. */
export interface AgentStatus {
  readonly node: string
  readonly version: string
  readonly startTime: string
  /** Null until the first verification has ended. */
  readonly verdict: Verdict | null
  readonly verdictTime: string | null
  readonly cni: CniStatus
  /** Null until the gate has seen its Node. */
  readonly gate: GateStatus | null
}

/** How far the CNI files on the host are. */
export interface CniStatus {
  readonly enabled: boolean
  readonly installed: boolean
  /** What it waits for, or what it wraps. */
  readonly message: string
}

/** Our own taint on the Node. */
export interface GateStatus {
  readonly tainted: boolean
  readonly message: string
}

/** What keeps the agent from being ready; empty = ready. A verdict of any kind will do: a bad node needs its agent most. */
export function missingForReady(status: AgentStatus): readonly string[] {
  const missing: string[] = []
  if (status.verdict === null) missing.push('the first verification has not ended')
  if (status.cni.enabled && !status.cni.installed) missing.push(`the CNI files are not in place: ${status.cni.message}`)
  return missing
}
