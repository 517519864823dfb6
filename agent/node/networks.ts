import type { NodeContext } from './context.ts'

/** Resolves when it is known what the nodes publish. */
export function untilKnown(networks: NodeContext['networks']): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = networks.subscribe(look)
  function look(): void {
    if (networks.synced()) resolve()
  }
  look()
  return promise.finally(end)
}
