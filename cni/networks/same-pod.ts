import type { PodFacts } from './lookup-protocol.ts'

/**
 * Whether a node knows a pod of the API by this UID: another one under its name is another pod. A static pod has another
 * UID on its node than its mirror in the API, which carries the first as an annotation.
 * @param uid what the runtime was told; undefined = nothing, which fits any pod
 */
export function isSamePod({ uid: inApi, annotations }: PodFacts, uid: string | undefined): boolean {
  const isMirror = Object.hasOwn(annotations, 'kubernetes.io/config.mirror')
  const onNode = [annotations['kubernetes.io/config.hash'], annotations['kubernetes.io/config.mirror']]
  return uid === undefined || inApi === uid || (isMirror && onNode.includes(uid))
}
