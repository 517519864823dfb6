/** As much of the objects as a removal looks at, as the API server has them. */

export function daemonSet(desired: number) {
  return { metadata: { generation: 3 }, status: { observedGeneration: 3, desiredNumberScheduled: desired } }
}

const labels = (name: string) => ({ 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'nopal' })

export const leader = { metadata: { name: 'nopal-leader-1', labels: labels('nopal-leader') }, spec: { nodeName: 'n1' } }

export function agent(node: string) {
  return { metadata: { name: `nopal-${node}`, labels: labels('nopal') }, spec: { nodeName: node } }
}

/** A pod that takes nopal off its node, and how far it is. */
export function uninstaller(node: string, state: 'ready' | 'running' | 'pending' | 'waiting') {
  const required = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] }
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } }
  const scheduled = { type: 'PodScheduled', status: 'False', message: 'no room on purpose' }
  const waiting = { waiting: { reason: 'ErrImagePull', message: 'no such image' } }
  return {
    metadata: { name: `nopal-uninstall-${node}`, labels: labels('nopal-uninstall') },
    spec: state === 'pending' ? { affinity } : { affinity, nodeName: node },
    status: {
      conditions: state === 'pending' ? [scheduled] : [{ type: 'Ready', status: state === 'ready' ? 'True' : 'False' }],
      ...(state === 'waiting' ? { containerStatuses: [{ state: waiting }] } : {}),
    },
  }
}
