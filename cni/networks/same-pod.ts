import type { PodFacts } from './lookup-protocol.ts'

/**
 * Whether a node knows a pod of the API by this UID: another one under its name is another pod. A static pod has another
 * UID on its node than its mirror in the API, which carries the first as an annotation.
 * @param uid what the runtime was told; undefined = nothing, which fits any pod
 */
export function isSamePod({ uid: inApi, annotations }: PodFacts, uid: string | undefined): boolean {
  const onNode = [annotations['kubernetes.io/config.hash'], annotations[mirrorAnnotation]]
  return uid === undefined || inApi === uid || (isMirror(annotations) && onNode.includes(uid))
}

/** The UID by which a pod's node knows it. */
export function uidOnNode({ uid, annotations }: PodFacts): string {
  return (isMirror(annotations) ? annotations['kubernetes.io/config.hash'] : undefined) ?? uid
}

const mirrorAnnotation = 'kubernetes.io/config.mirror'

function isMirror(annotations: PodFacts['annotations']): boolean {
  return Object.hasOwn(annotations, mirrorAnnotation)
}
