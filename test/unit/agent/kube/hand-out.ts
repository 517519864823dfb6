import type { KubeRequest } from '../../../../agent/kube/api.ts'

/** Answers as a client does: whoever asks for the objects of a list one by one finds none in the answer. */
export function handOut<T>({ onItem }: KubeRequest, answer: T): T | Omit<T, 'items'> {
  if (onItem === undefined || typeof answer !== 'object' || answer === null || !('items' in answer)) return answer
  const { items, ...rest } = answer
  if (Array.isArray(items)) for (const item of items) onItem(item)
  return rest
}
