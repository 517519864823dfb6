import type { WireguardSource } from '../verify/wireguard-check.ts'
import { findEgress, judgeEgress } from '../wireguard/egress.ts'
import { judgeMesh } from '../wireguard/judge.ts'
import type { NodeContext } from './context.ts'
import { untilKnown } from './networks.ts'

/** What the checks of the mesh say: of the newest look, once there is one and it is known what other nodes publish. */
export function createMeshSource({ networks, mesh, settings, loop }: NodeContext): WireguardSource {
  const { promise: looked, resolve } = Promise.withResolvers<void>()
  if (mesh.current() === undefined) mesh.onChange(() => resolve())
  else resolve()
  const known = Promise.all([untilKnown(networks), looked])
  return {
    async inspect(signal) {
      await Promise.race([known, aborted(signal)])
      const state = mesh.current()
      if (state === undefined) throw new Error('there was no look at the devices')
      const ownSinceMs = networks.get(settings.nodeName)?.createdMs
      return judgeMesh({ ...state, ownSinceMs, nowMs: loop.clock.now() }).map(each => ({ ...each, seconds: 0 }))
    },
    async egress(signal) {
      await Promise.race([known, aborted(signal)])
      return [{ ...judgeEgress(findEgress(settings.nodeName, networks.values())), seconds: 0 }]
    },
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
