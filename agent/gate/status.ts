import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import type { StatusSection } from '../report/status.ts'
import { findMarks } from './taints.ts'

/** What is told of our own taint and label. */
export function createGateStatus(
  settings: Pick<GateSettings, 'taint' | 'label'>,
  current: () => KubeNode | undefined,
): StatusSection {
  return {
    json() {
      const node = current()
      return { gate: node === undefined ? null : describeMarks(node, settings) }
    },
    facts() {
      const node = current()
      return [
        { name: 'taint', text: node === undefined ? 'the Node is not known' : describeMarks(node, settings).message },
      ]
    },
  }
}

function describeMarks(node: KubeNode, settings: Pick<GateSettings, 'taint' | 'label'>) {
  const { taintAt, labelled } = findMarks(node, settings)
  const tainted = taintAt.length > 0
  const label = labelled ? 'labelled as verified' : 'not labelled as verified'
  return { tainted, message: `${tainted ? 'tainted' : 'not tainted'}, ${label}` }
}
