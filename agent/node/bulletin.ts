import type { Settings } from '../config/settings.ts'
import { findMarks } from '../gate/taints.ts'
import type { InstallState } from '../install/duty.ts'
import type { KubeNode } from '../kube/node.ts'
import type { AgentStatus, GateStatus } from '../report/status.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Verdict } from '../verdict/verdict.ts'

/** The newest of everything the agent knows, for whoever asks over HTTP. */
export interface Bulletin {
  status(): AgentStatus
  showVerdict(verdict: Verdict): void
  showInstall(state: InstallState): void
  showNode(node: KubeNode | undefined): void
}

export function createBulletin(settings: Settings, version: string, clock: Clock): Bulletin {
  const { enabled } = settings.install
  let status: AgentStatus = {
    node: settings.nodeName,
    version,
    startTime: toTime(clock.now()),
    verdict: null,
    verdictTime: null,
    cni: { enabled, installed: false, message: enabled ? 'not looked at yet' : 'switched off by the settings' },
    gate: null,
  }
  return {
    status: () => status,
    showVerdict(verdict) {
      status = { ...status, verdict, verdictTime: toTime(clock.now()) }
    },
    showInstall(state) {
      status = { ...status, cni: { enabled, ...state } }
    },
    showNode(node) {
      status = { ...status, gate: node === undefined ? null : toGateStatus(node, settings) }
    },
  }
}

function toGateStatus(node: KubeNode, settings: Settings): GateStatus {
  const { taintAt, labelled } = findMarks(node, settings.gate)
  const tainted = taintAt.length > 0
  const label = labelled ? 'labelled as verified' : 'not labelled as verified'
  return { tainted, message: `${tainted ? 'tainted' : 'not tainted'}, ${label}` }
}

function toTime(ms: number): string {
  return new Date(ms).toISOString()
}
